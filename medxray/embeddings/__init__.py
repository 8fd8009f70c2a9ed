"""Pooled features of images: extraction, nearest neighbours, similar images, projections and maps."""
