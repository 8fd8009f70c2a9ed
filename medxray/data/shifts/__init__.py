"""Shifted views: images as another place would have framed, exposed, stored or marked them. Rows are in `families`."""
