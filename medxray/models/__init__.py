"""Architectures, heads and weights; flat graphs, their parts, and batch inference."""
