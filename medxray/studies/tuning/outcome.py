"""What a search has found: the best options as a file that `train` takes, tables, pictures, and a few lines of text."""

import statistics
from dataclasses import dataclass

import pandas as pd

from medxray.errors import RunError
from medxray.metrics.counts import images_and_patients
from medxray.metrics.intervals import estimate_text
from medxray.plots import style
from medxray.plots.tuning import ImportanceDisplay, ParallelDisplay, TrialsDisplay
from medxray.studies.tuning.choices import JUDGED_ON, OBJECTIVES
from medxray.studies.tuning.database import (
    COMPLETE,
    ERROR,
    FAILED,
    IMPORTANCE_TRIALS,
    INTERRUPTED,
    PRUNED,
    RUNNING,
    state_of,
)
from medxray.studies.tuning.space import Dimension, value_text
from medxray.system import storage
from medxray.training.config import config_from_dict
from medxray.training.config_text import config_lines
from medxray.training.options import options_of

_OWN = ("name", "overwrite")  # options of the search that its result is not trained with
_MOST_NAMED = 8


@dataclass(frozen=True)
class Outcome:
    """What a search has found so far.

    Attributes:
        best: dict of the best trial: trial (its number), value, ci95, n, n_patients, options (dict option -> value);
            None as long as other processes run the first trials.
        counts: dict state -> numbers of the trials that ended so.
        lines: what is to be said, list of str.
    """

    best: dict | None
    counts: dict
    lines: list


def write_outcome(directory, database):
    """Write trials.csv, best.toml and the pictures of a search. The caller holds its lock.

    Args:
        directory: runs.tuning_directory.TuningDir.
        database: database.TrialDatabase.

    Returns:
        Outcome.

    Raises:
        RunError: all trials have ended, and none has a value.
    """
    record, trials, best = directory.read_record(), database.trials(), database.best()
    states = {trial.number: state_of(trial) for trial in trials}
    counts = {state: [number for number, own in states.items() if own == state] for state in _STATES}
    names = [value["name"] for value in record["search"]]
    table = pd.DataFrame([_row(trial, names) for trial in trials], columns=[*_COLUMNS, *names, ERROR])
    storage.write_csv(directory.trials_file, table)
    ends = _ends(trials, counts)
    if best is None and not counts[RUNNING]:
        raise RunError(
            f"No trial of {directory.path} has a value ({ends}). Look at {directory.trials_file}, and search other "
            "values."
        )
    if best is None:
        return Outcome(None, counts, [f"Trials: {ends}."])
    found = {"trial": best.number, "value": best.value, "ci95": best.user_attrs.get("ci95"), "options": best.params}
    found |= {name: best.user_attrs[name] for name in ("n", "n_patients") if name in best.user_attrs}
    storage.write_text(directory.best_file, _best_text(directory, record, found, len(counts[COMPLETE])))
    importances = database.importances()
    _draw(directory, record, table, importances)
    return Outcome(found, counts, _lines(directory, record, table, found, ends, importances))


_STATES = (COMPLETE, PRUNED, FAILED, INTERRUPTED, RUNNING)
_COLUMNS = ("trial", "state", "value", "low", "high", "epochs", "seconds")


def _row(trial, names):
    low, high = trial.user_attrs.get("ci95") or (None, None)
    return {
        "trial": trial.number,
        "state": state_of(trial),
        "value": trial.value,
        "low": low,
        "high": high,
        "epochs": len(trial.intermediate_values),
        "seconds": trial.user_attrs.get("seconds"),
        ERROR: trial.user_attrs.get(ERROR),
        **{name: trial.params.get(name) for name in names},
    }


def _best_text(directory, record, best, complete):
    """The content of best.toml."""
    config = config_from_dict(record["config"], source=str(directory.record_file))
    known = options_of(type(config))
    given = {name: value for name, value in record["config"].items() if name in known and name not in _OWN}
    given = {name: value for name, value in given.items() if value not in (None, known[name].default)}
    words = OBJECTIVES[record["objective"]].words
    remarks = [
        f"# Trial {best['trial']} of {directory.name}: {words} {estimate_text(best)}, {JUDGED_ON[record['judge_on']]}.",
        f"# {_optimism(complete)}",
        f"# medxray train --config {directory.best_file.name}",
    ]
    searched, fixed = (config_lines(values, type(config)) for values in (best["options"], given))
    return "\n".join([*remarks, "", "# searched", *searched, "", "# fixed", *fixed]) + "\n"


def _optimism(complete):
    return (
        f"The best of {complete} values on the same validation images is optimistic: expect less of other patients."
        if complete > 1
        else "The epoch was chosen on the same validation images: expect less of other patients."
    )


def _lines(directory, record, table, best, ends, importances):
    words, complete = OBJECTIVES[record["objective"]].words, int((table["state"] == COMPLETE).sum())
    options = ", ".join(f"{name.replace('_', '-')} {value_text(value)}" for name, value in best["options"].items())
    of = f" ({images_and_patients(best)})" if "n" in best else ""
    lines = [
        f"Judged on {JUDGED_ON[record['judge_on']]}{of}; no test image was looked at.",
        *([record["note"]] if record.get("note") else []),
        f"Best: trial {best['trial']}, {words} {estimate_text(best, digits=4)}: {options}",
        _optimism(complete),
        _time(table),
        f"Trials: {ends}.",
    ]
    if importances:
        shares = ", ".join(f"{name.replace('_', '-')} {share:.0%}" for name, share in importances.items())
        lines.append(f"What decides whether a trial is among the best quarter: {shares}.")
    else:
        lines.append(f"What decides is not said with fewer than {IMPORTANCE_TRIALS} complete trials.")
    return [*lines, f"Train it: medxray train --config {directory.best_file}"]


def _time(table):
    complete = table.loc[table["state"] == COMPLETE, "seconds"].dropna()
    if not len(complete):
        return "Seconds per trial: not known."
    return (
        f"Seconds per complete trial: median {statistics.median(complete):.1f}, "
        f"from {min(complete):.1f} to {max(complete):.1f}."
    )


def _ends(trials, counts):
    """How many trials ended how, by number: "8 complete, 2 pruned (3, 5), 1 failed (4: the loss became nan)"."""
    reasons = {trial.number: trial.user_attrs.get(ERROR) for trial in trials}
    parts = []
    for state, numbers in counts.items():
        if not numbers:
            continue
        named = [f"{number}: {reasons[number]}" if reasons[number] else str(number) for number in numbers[:_MOST_NAMED]]
        more = ["..."] if len(numbers) > _MOST_NAMED else []
        sign = "; " if any(reasons[number] for number in numbers) else ", "
        shown = f" ({sign.join([*named, *more])})" if state != COMPLETE else ""
        parts.append(f"{len(numbers)} {state}{shown}")
    return ", ".join(parts) or "none has begun"


def _draw(directory, record, table, importances):
    objective = OBJECTIVES[record["objective"]]
    space = [Dimension.from_dict(value) for value in record["search"]]
    what = {"words": objective.words, "judged_on": JUDGED_ON[record["judge_on"]], "maximize": objective.maximize}
    plots = {"history": TrialsDisplay(table, **what), "parallel": ParallelDisplay(table, space, **what)}
    if importances:
        plots["importance"] = ImportanceDisplay(importances, words=what["words"], judged_on=what["judged_on"])
    for name, display in plots.items():
        figure = display.plot()
        for kind in ("png", "svg"):
            style.save(figure, directory.plots / f"{name}.{kind}")
