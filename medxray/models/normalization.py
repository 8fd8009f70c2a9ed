"""Momentum of batch normalisation in layers that are trained from random weights. No TensorFlow."""

MOMENTUM = 0.9  # of the moving statistics; with the usual .99 they are unfinished after a few hundred steps
