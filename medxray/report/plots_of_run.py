"""Plots of what a run holds, by name: one figure, or files. Nothing is computed that the run holds; no TensorFlow."""

import functools
from pathlib import Path

from medxray.errors import ConfigError, RunError
from medxray.plots import style
from medxray.plots.audit import ChangesDisplay
from medxray.plots.cohort import CohortDisplay
from medxray.plots.explanations import FaithfulnessDisplay, RandomisationDisplay
from medxray.plots.flow import FlowDisplay
from medxray.plots.history import HistoryDisplay
from medxray.plots.run_plots import PLOTS, display_of, plot_obstacles
from medxray.plots.shifts import ShiftsDisplay
from medxray.plots.similar import Case, SimilarDisplay
from medxray.plots.subgroups import SubgroupsDisplay
from medxray.report.contents import read_contents
from medxray.report.similar_cases import answer_words, similar_cases
from medxray.system.spelling import did_you_mean

ALL, FORMATS = "all", ("png", "svg", "pdf")
_OTHER_NAMES = {"pr": "precision_recall", "calibration": "reliability", "net_benefit": "decision_curve"}
_CURVES = ("roc", "precision_recall")
_PICTURES = ("gallery", "errors")


class NoPlot(RunError):
    """The run does not hold what a plot shows."""


def plot_of(path, kind, *, split=None):
    """Draw one plot of a run.

    Args:
        path: the run's directory.
        kind: name of a row of KINDS, or "pr", "calibration" or "net_benefit"; hyphens count as underscores.
        split: "train", "val" or "test"; None: that of the report.

    Returns:
        matplotlib Figure, which shows itself in a notebook.

    Raises:
        ConfigError: there is no such kind.
        NoPlot: the run does not hold what it shows.
        RunError, DataError: as for `contents.read_contents`.
    """
    return KINDS[_kind_named(kind)](read_contents(path, split))


def draw_plots(path, kinds, *, split=None, out=None, suffix=FORMATS[0]):
    """Draw plots of a run into files: `<split>_<kind>.<suffix>`, and `history` and `flow` without a split.

    Args:
        path: the run's directory.
        kinds: list of names, see `plot_kinds`.
        split: as for `plot_of`.
        out: folder; None: that of the plots of the split in the run.
        suffix: one of FORMATS.

    Returns:
        (list of pathlib.Path, dict kind -> why it cannot be drawn).

    Raises:
        RunError, DataError: as for `plot_of`, but for NoPlot.
        StorageError: a file cannot be written.
    """
    contents = read_contents(path, split)
    folder, files, lacking = contents.plots if out is None else Path(out), [], {}
    for kind in kinds:
        try:
            figure = KINDS[kind](contents)
        except NoPlot as error:
            lacking[kind] = str(error)
            continue
        stem = kind if kind in _OF_THE_RUN else f"{style.file_stem(contents.split)}_{kind}"
        files.append(style.save(figure, folder / f"{stem}.{suffix}"))
    return files, lacking


def plot_kinds(text):
    """The kinds that a text names, with commas between them, or all: list of str, each once.

    Raises:
        ConfigError: there is no such kind.
    """
    if text == ALL:
        return list(KINDS)
    return list(dict.fromkeys(_kind_named(name.strip()) for name in text.split(",")))


def _kind_named(name):
    plain = name.replace("-", "_")
    kind = _OTHER_NAMES.get(plain, plain)
    if kind not in KINDS:
        meant = did_you_mean(plain, KINDS)
        raise ConfigError(f"A kind of plot must be one of {', '.join(KINDS)}. Received '{name}'.{meant}")
    return kind


def _history(contents):
    if contents.history is None:
        raise NoPlot("this run was not trained by epochs, or its history.csv is gone")
    return HistoryDisplay.from_table(contents.history).plot()


def _flow(contents):
    if not contents.record.get("data", {}).get("counts"):
        raise NoPlot("run.json does not hold how many images each split has")
    return FlowDisplay.from_record(contents.record).plot()


def _evaluation(name, contents):
    predictions, files = contents.predictions, contents.files()
    obstacles = plot_obstacles(contents.report, predictions, thumbnails=contents.thumbnail)
    if name in obstacles:
        raise NoPlot(obstacles[name])
    if name in _PICTURES and not any(file.is_file() for file in files):
        raise NoPlot("the image files are gone from their place")
    if name in _CURVES:
        display = display_of(name, predictions, contents.decision, contents.report, bands=True)
    else:
        thumbnails = lambda row: contents.thumbnail(files[row])  # noqa: E731
        display = display_of(name, predictions, contents.decision, contents.report, thumbnails=thumbnails)
    return display.plot()


def _shifts(contents):
    found = contents.shifts
    if found is None:
        raise NoPlot(f"the run has no shifted views; `medxray evaluate {_of_split(contents)} --shifts` makes them")
    return ShiftsDisplay(found["families"], found["clean"], report=contents.report).plot()


def _subgroups(contents):
    display = SubgroupsDisplay.from_report(contents.report)
    if not display.parts:
        raise NoPlot("the data have no finer labels, and all images are of one size and brightness")
    return display.plot()


def _similar(contents):
    if contents.embeddings is None:
        raise NoPlot(f"the run has no embeddings; `medxray embed extract {contents.path}` makes them")
    found = similar_cases(contents)
    if not found:
        raise NoPlot("there are no errors, or embeddings.npz lacks their images or the training images")
    return SimilarDisplay([_cases(contents, *one) for one in found.items()]).plot()


def _cases(contents, row, neighbors):
    (file,) = contents.files_of([contents.predictions.paths[row]])
    true, predicted = answer_words(contents, row)
    others = [Case(contents.thumbnail(one.file), one.label, f"distance {one.distance:.4f}") for one in neighbors]
    return [Case(contents.thumbnail(file), predicted, true), *others]


def _audit(contents):
    if contents.audit is None:
        raise NoPlot(f"the run has no shortcut audit; `medxray explain audit {_of_split(contents)}` makes it")
    return ChangesDisplay(contents.audit).plot()


def _cohort(contents):
    if contents.cohort is None:
        raise NoPlot(f"the run has no mean heatmaps; `medxray explain cohort {_of_split(contents)}` makes them")
    return CohortDisplay(*contents.cohort).plot()


def _checks(display, contents):
    if contents.explanations is None:
        raise NoPlot(f"the run has no check of heatmaps; `medxray explain evaluate {_of_split(contents)}` makes it")
    return display(contents.explanations).plot()


def _of_split(contents):
    return f"{contents.path} --split {contents.split}"


_OF_THE_RUN = {"history": _history, "flow": _flow}
KINDS = {
    **_OF_THE_RUN,
    **{name: functools.partial(_evaluation, name) for name in PLOTS},
    "shifts": _shifts,
    "subgroups": _subgroups,
    "similar": _similar,
    "audit": _audit,
    "cohort": _cohort,
    "faithfulness": functools.partial(_checks, FaithfulnessDisplay),
    "randomisation": functools.partial(_checks, RandomisationDisplay),
}
