"""Datasets on disk -> manifest, splits and tf.data."""
