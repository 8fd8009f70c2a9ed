"""What is particular to the runs of classifiers: their exported graph and their part of the model card."""
