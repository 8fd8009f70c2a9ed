"""Predictions -> report, plots and model card; evaluating a run again."""

from medxray.moved import names_of_old_module

__getattr__ = names_of_old_module(__name__)
