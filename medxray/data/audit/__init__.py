"""What `medxray data inspect` finds in a dataset."""

from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)
