"""Files -> images as a model takes them -> table of answers."""
