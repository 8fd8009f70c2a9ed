"""The input gate: is an image like the training images?"""
