"""Run directories, their images and true labels."""

from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)
