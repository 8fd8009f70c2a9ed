"""A search for options of training: which are best on validation images?"""
