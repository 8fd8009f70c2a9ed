"""Names of the layers that every model has. No TensorFlow."""

INPUT = "image"
PREPROCESSED = "preprocess"
POOLED, LOGITS, PROBABILITIES = "pooled", "logits", "probabilities"
