"""Choices of options on how data are read. No TensorFlow, nothing heavy."""

UNCERTAIN = ("drop", "positive", "negative")  # what the label -1 of a CSV means
