"""Atomic files, progress bars, the quiet start of TensorFlow."""
