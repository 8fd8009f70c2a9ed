"""Synthetic chest X-rays with masks."""

from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)
