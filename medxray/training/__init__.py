"""Configuration, stages, training loop and the cache of frozen activations."""
