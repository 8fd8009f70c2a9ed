"""A random sample of predictions, and the most confident errors, with heatmaps behind a switch."""

from medxray.report.chosen import error_rows, sample_rows
from medxray.report.contents import ANOMALY
from medxray.report.elements import element, joined
from medxray.report.pictures import predicted_pictures
from medxray.report.section import Missing, Section


def gallery(contents):
    """A sample drawn without looking at the predictions."""
    rows = sample_rows(contents)
    text = f"{len(rows)} images of the {contents.split} split, drawn at random without looking at the predictions."
    return Section(
        "gallery", "Predictions", joined(element("p", text), _switch(contents), predicted_pictures(contents, rows))
    )


def _switch(contents):
    """The switch of the heatmaps of both sections; nothing where the run holds none."""
    if contents.heats is None:
        return None
    box = element("input", type="checkbox", id="heat-switch")
    return element(
        "p", element("label", box, f" Show heatmaps ({contents.heats.method}), here and under Errors"), class_="switch"
    )


def heatmaps(contents):
    """What makes the heatmaps where the run holds none."""
    if contents.heats is not None:
        return None
    if contents.kind == ANOMALY:
        return Missing("Anomaly maps", "The report shows none; this draws them:", "medxray anomaly map PATH...")
    return Missing("Heatmaps of the predictions", "makes them", f"medxray report {contents.path} --gallery")


def errors(contents):
    """The most confident errors of each kind."""
    found = {kind: rows for kind, rows in error_rows(contents).items() if len(rows)}
    if not found:
        return Section("errors", "Errors", element("p", f"No image of the {contents.split} split is labelled wrongly."))
    parts = []
    for kind, rows in found.items():
        title = f"{kind.replace('_', ' ').capitalize()}, most confident first"
        parts += [element("h3", title), predicted_pictures(contents, rows)]
    return Section("errors", "Errors", joined(*parts))
