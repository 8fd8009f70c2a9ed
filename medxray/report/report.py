"""The report of a run: what it holds -> sections -> one HTML file. No TensorFlow."""

from pathlib import Path

from medxray.report.contents import read_contents
from medxray.report.page import page
from medxray.report.sections.calibration import calibration, scores
from medxray.report.sections.card import card
from medxray.report.sections.comparison import comparison
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
from medxray.system import storage

_FIRST = (overview, flow)
_SECTIONS = (
    history,
    curves,
    operating,
    calibration,
    scores,
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


def write_report(run, out=None, *, compare=(), common=False):
    """Write the report of a completed run as one HTML file, from what the run holds; no model is asked.

    The same run gives the same bytes. What the run does not hold is left out, and the report says which command makes
    it. Pictures come from the image files, where they are still at their place.

    Args:
        run: its directory.
        out: the file; None: `report.html` in the run.
        compare: directories of other runs that stand beside it.
        common: compare the images that all runs have; else runs with different images are refused.

    Returns:
        pathlib.Path of the file.

    Raises:
        RunError: there is no such run, it is not complete, or nothing of it was evaluated.
        ConfigError, DataError: its files are damaged, or the runs cannot be compared.
        StorageError: the file cannot be written.
    """
    if out is not None:
        storage.check_place(out, file=True)
    contents = read_contents(run)
    file = contents.directory.report_file if out is None else Path(out)
    storage.write_text(file, report_page(contents, compare=compare, common=common))
    return file


def report_page(contents, *, compare=(), common=False):
    """The page of a Contents as text; other arguments and errors as for `write_report`."""
    parts = [make(contents) for make in _FIRST]
    if compare:
        parts.append(comparison(contents, list(compare), common=common))
    parts += [make(contents) for make in _SECTIONS]
    return page(contents.directory.name, _facts(contents), [part for part in parts if part is not None])


def _facts(contents):
    config, data = contents.record.get("config", {}), contents.record.get("data", {})
    what = [config.get("arch"), config.get("mode") or config.get("method")]
    named = " ".join(str(one) for one in what if one)
    source = data.get("source", data.get("root"))
    return f"{contents.kind}: {named}; classes {', '.join(data.get('classes', ()))}; data {source}"
