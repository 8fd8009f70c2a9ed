"""Image files -> pixels: recognising, TIFF, DICOM, the decode graph, thumbnails."""

from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)
