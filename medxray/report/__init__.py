"""A run as one HTML file that works offline."""
