"""Mean heatmaps of groups of images, and how they differ."""
