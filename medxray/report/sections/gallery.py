"""A random sample of predictions, and the most confident errors, with heatmaps behind a switch."""

import base64

import numpy as np

from medxray.explain.checks.stored_verdicts import failing_words
from medxray.report.chosen import error_rows, sample_rows
from medxray.report.contents import ANOMALY
from medxray.report.elements import element, joined
from medxray.report.pictures import predicted_pictures
from medxray.report.section import Missing, Section

_METHOD = "gradcam"  # of the heatmaps that a run holds


def gallery(contents):
    """A sample drawn without looking at the predictions."""
    rows = sample_rows(contents)
    stored = _stored_plot(contents, rows, "gallery")
    if stored is not None:
        return Section("gallery", "Predictions", stored)
    text = f"{len(rows)} images of the {contents.split} split, drawn at random without looking at the predictions."
    shown = joined(element("p", text), _switch(contents), predicted_pictures(contents, rows))
    return Section("gallery", "Predictions", shown)


def _switch(contents):
    """The switch of the heatmaps of both sections, and a word where their method fails; nothing without heatmaps."""
    if contents.heats is None:
        return None
    box = element("input", type="checkbox", id="heat-switch")
    label = element("label", box, f" Show heatmaps ({contents.heats.method}), here and under Errors")
    words = failing_words(contents.directory, _METHOD)
    return joined(element("p", label, class_="switch"), element("p", words, class_="notice") if words else None)


def heatmaps(contents):
    """What makes the heatmaps where the run holds none."""
    if contents.heats is not None:
        return None
    if contents.kind == ANOMALY:
        return Missing("Anomaly maps", "draws them", "medxray anomaly map PATH...")
    return Missing("Heatmaps of the predictions", "makes them", f"medxray report {contents.path} --gallery")


def errors(contents):
    """The most confident errors of each kind."""
    found = {kind: rows for kind, rows in error_rows(contents).items() if len(rows)}
    if not found:
        return Section("errors", "Errors", element("p", f"No image of the {contents.split} split is labelled wrongly."))
    stored = _stored_plot(contents, np.concatenate(list(found.values())), "errors")
    if stored is not None:
        return Section("errors", "Errors", stored)
    parts = []
    for kind, rows in found.items():
        title = f"{kind.replace('_', ' ').capitalize()}, most confident first"
        parts += [element("h3", title), predicted_pictures(contents, rows)]
    return Section("errors", "Errors", joined(*parts))


def _stored_plot(contents, rows, name):
    """The picture that the evaluation drew, where the image files of these rows are gone; None where they are not."""
    files, plot = contents.files(), contents.plots / f"{contents.split}_{name}.png"
    if any(files[row].is_file() for row in rows) or not plot.is_file():
        return None
    data = f"data:image/png;base64,{base64.b64encode(plot.read_bytes()).decode('ascii')}"
    alt = "Images with their true and predicted classes, drawn when they were evaluated"
    note = element("p", "The image files are gone from their place: this was drawn when they were evaluated.")
    return joined(note, element("img", src=data, alt=alt, class_="stored"))
