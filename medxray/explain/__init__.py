"""Heatmaps of what a classifier looked at."""
