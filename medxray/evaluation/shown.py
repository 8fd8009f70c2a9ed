"""The JSON object of an evaluation as a notebook shows it."""

import html

import pandas as pd

from medxray.evaluation.model_card import FIGURES
from medxray.metrics.counts import images_and_patients
from medxray.metrics.intervals import estimate_text


class ShownReport(dict):
    """The JSON object of docs/evaluation.md; a notebook shows its figures and remarks."""

    def _repr_html_(self):
        column = f"{self['split']}: {images_and_patients(self)}"
        figures = {words: estimate_text(self[name], undefined="not defined") for name, words in FIGURES}
        table = pd.DataFrame({column: figures}).to_html(border=0)
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self["notes"])
        return table + (f"<ul>{notes}</ul>" if notes else "")
