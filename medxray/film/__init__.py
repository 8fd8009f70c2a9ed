"""Predictions of a run as a film."""
