"""Several classifiers as one run: which runs go together, their common graph, weights, views and dropout passes."""
