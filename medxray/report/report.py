"""The report of a run: what it holds -> sections -> one HTML file. No TensorFlow."""

from pathlib import Path

from medxray.report.contents import read_contents
from medxray.report.page import page
from medxray.report.sections.calibration import calibration, scores
from medxray.report.sections.card import card
from medxray.report.sections.curves import curves
from medxray.report.sections.environment import environment
from medxray.report.sections.flow import flow
from medxray.report.sections.gallery import errors, gallery, heatmaps
from medxray.report.sections.history import history
from medxray.report.sections.operating import operating
from medxray.report.sections.overview import overview
from medxray.report.sections.shifts import shifts
from medxray.report.sections.shortcuts import shortcuts
from medxray.report.sections.similar import similar
from medxray.report.sections.subgroups import subgroups
from medxray.report.sections.unsure import unsure
from medxray.system import storage

_FIRST = (overview, flow)
_SECTIONS = (
    history,
    curves,
    operating,
    calibration,
    scores,
    unsure,
    shifts,
    subgroups,
    shortcuts,
    gallery,
    heatmaps,
    errors,
    similar,
    environment,
    card,
)


def write_report(run, out=None, *, beside=None):
    """Write the report of a completed run as one HTML file, from what the run holds; no model is asked.

    The same run gives the same bytes. What the run does not hold is left out, and the report says which command makes
    it. Pictures come from the image files, where they are still at their place.

    Args:
        run: its directory.
        out: the file; None: `report.html` in the run.
        beside: function Contents -> Section that sets the run beside others, see `studies.compared_report`; or None.

    Returns:
        pathlib.Path of the file.

    Raises:
        RunError: there is no such run, it is not complete, or nothing of it was evaluated.
        DataError: its files are damaged.
        StorageError: the file cannot be written.
    """
    if out is not None:
        storage.check_place(out, file=True)
    contents = read_contents(run)
    file = contents.directory.report_file if out is None else Path(out)
    storage.write_text(file, report_page(contents, beside=beside))
    return file


def report_page(contents, *, beside=None):
    """The page of a Contents as text; other arguments and errors as for `write_report`."""
    makers = (*_FIRST, *([beside] if beside else ()), *_SECTIONS)
    parts = [make(contents) for make in makers]
    return page(contents.directory.name, facts_of(contents.record), [part for part in parts if part is not None])


def facts_of(record):
    """One line about a run, from its record (dict of run.json): kind, network, classes, data."""
    config, data = record.get("config", {}), record.get("data", {})
    what = [config.get("arch"), config.get("mode") or config.get("method")]
    named = " ".join(str(one) for one in what if one)
    source = data.get("source", data.get("root"))
    return f"{record.get('type', 'classifier')}: {named}; classes {', '.join(data.get('classes', ()))}; data {source}"
