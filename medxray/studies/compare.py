"""Which of several runs is best on the same patients, and is the difference real?"""

import dataclasses
import itertools
import logging
from collections import Counter
from dataclasses import dataclass

import numpy as np

from medxray.errors import ConfigError, DataError
from medxray.metrics.compare import compare_runs
from medxray.metrics.holm import holm
from medxray.metrics.patient_means import mean_by_patient
from medxray.runs.study_directory import runs_at
from medxray.studies.member import read_member
from medxray.system import progress

FIGURES = {
    "auroc": "AUROC",
    "average_precision": "AUPRC",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
}
SHIFTED = {  # means over shifted views, and what their report calls them
    "shift_mean_auroc": "mean_auroc",
    "shift_average_precision": "average_precision",
    "shift_precision": "precision",
    "shift_recall": "sensitivity",
    "shift_f1": "f1",
    "shift_specificity": "specificity",
    "shift_balanced_accuracy": "balanced_accuracy",
}
PARTS = {"shift_worst": "worst", "shift_groups": "groups", "shift_families": "families"}  # of the same report
_KEYS = {"recall": "sensitivity"}  # where a report calls a figure by another name
ACCURACY = "accuracy"
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Comparison:
    """Several runs on the same images.

    Attributes:
        members: list of member.Member, with their images in one order.
        tests: list of dict, one for each pair of runs and measure, see `compared`.
        left_out: dict name of a run -> number of its images that not all runs have.
    """

    members: list
    tests: list
    left_out: dict

    def to_dict(self, costs=None):
        """JSON values: split, n, n_patients, classes, runs, tests, errors, left_out.

        Args:
            costs: list of dict, facts of each run that stand beside its figures; None: there are none.
        """
        first = self.members[0].predictions
        return {
            "split": first.split,
            "n": len(first),
            "n_patients": first.n_patients,
            "classes": list(first.classes),
            "runs": [row_of(member) | cost for member, cost in zip(self.members, costs or self._none(), strict=True)],
            "tests": self.tests,
            "errors": agreement(self.members),
            "left_out": self.left_out,
        }

    def _none(self):
        return [{}] * len(self.members)


def compared(paths, *, split="test", common=False, seed=0):
    """Compare runs by what they have stored; no model is asked.

    Every pair is tested in AUROC (`metrics.compare.compare_runs`: clustered DeLong and a patient-level permutation)
    and in accuracy at the stored thresholds (McNemar, or a sign-flip test by patient). p-values of a measure are
    adjusted together by Holm's method.

    Args:
        paths: directories of two or more runs, or of studies, all of whose runs take part. A run that is named twice,
            as by the link `latest`, takes part once.
        split: of which the predictions are compared, "val" or "test".
        common: compare the images that all runs have; else runs with different images are refused.
        seed: of random exchanges and resamples.

    Returns:
        Comparison. Each of its tests has a, b (names of runs), measure ("auroc" or "accuracy"; with three or more
        classes "auroc CLASS"), difference (a minus b; value and ci95), p (clustered DeLong or the test of accuracy),
        p_holm, test (its name); those of AUROC also p_permutation and p_permutation_holm. A p-value is None where
        nothing tells the models apart.

    Raises:
        ConfigError: fewer than two different runs.
        RunError: a run is not complete or holds no figures.
        DataError: the runs answer different questions, or have different images.
    """
    members = _read(paths, split)
    _check_classes(members)
    members, left_out = _on_common_images(members) if common else (members, {})
    _check_images(members)
    _tell_of_other_content(members)
    pairs = list(itertools.combinations(members, 2))
    tests = []
    with progress.track(len(pairs), "Pairs of runs") as bar:
        for a, b in pairs:
            tests += _tests_of(a, b, seed)
            bar.advance(1)
    _adjust(tests, "p", "p_holm")
    _adjust(tests, "p_permutation", "p_permutation_holm")
    return Comparison(members, tests, left_out)


def row_of(member):
    """Figures of one run: name, path, AUROC, AUPRC, precision, recall, F1, and those of its shifted views.

    Of these there are the means, the views with the lowest figures, the means of each group, and every family and
    severity.
    """
    figures = {name: member.report[_KEYS.get(name, name)] for name in FIGURES}
    shifts = member.shifts or {}
    return {
        "name": member.name,
        "path": str(member.directory.path),
        **figures,
        ACCURACY: member.report[ACCURACY],
        **{name: shifts.get(key) for name, key in SHIFTED.items()},
        "shift_ece": _plain(shifts.get("mean_ece")),
        **{name: shifts.get(key) for name, key in PARTS.items()},
        "shift_views": _views(shifts),
        "seconds": member.seconds,
    }


def _plain(value):
    """A figure without an interval, as the others are; None where there is none."""
    return None if value is None else {"value": value, "ci95": None}


def _views(shifts):
    """Of what the figures of shifted views are: views of each image, images, patients; None without shifted views."""
    if not shifts:
        return None
    views = sum(map(len, shifts["families"].values()))
    return {"views": views, "n": shifts["n"], "n_patients": shifts["n_patients"]}


def agreement(members):
    """On which images and patients the runs err.

    Returns:
        dict: all_right and all_wrong (images), and `only`: dict name of a run -> right (images that it alone labels
        rightly), wrong (that it alone labels wrongly), right_patients (ids, of the former).
    """
    right, patients = right_answers(members), members[0].predictions.patient_ids
    count, only = right.sum(axis=0), {}
    for member, own in zip(members, right, strict=True):
        alone = own & (count == 1)
        wrong = ~own & (count == len(members) - 1)
        names = np.unique(patients[alone]).tolist()
        only[member.name] = {"right": int(alone.sum()), "wrong": int(wrong.sum()), "right_patients": names}
    return {
        "all_right": int((count == len(members)).sum()),
        "all_wrong": int((count == 0).sum()),
        "only": only,
    }


def right_answers(members):
    """Bool array (runs, images): the run labels the image rightly; images in the order of the first run."""
    return np.stack([_right(member.predictions, member.decision, members[0].predictions.paths) for member in members])


def _right(predictions, decision, paths):
    place = {path: row for row, path in enumerate(predictions.paths)}
    right = decision.labels(predictions.logits) == predictions.y_true
    return right[[place[path] for path in paths]]


def _read(paths, split):
    members = {member.directory.path: member for path in runs_at(paths) for member in [read_member(path, split)]}
    if len(members) < 2:
        named = ", ".join(map(str, paths)) or "none"
        raise ConfigError(f"Two or more different runs are needed. Received: {named}.")
    members = list(members.values())
    times = Counter(member.name for member in members)
    return [
        member if times[member.name] == 1 else dataclasses.replace(member, name=str(member.directory.path))
        for member in members
    ]


def _check_classes(members):
    first = members[0]
    for other in members[1:]:
        if other.predictions.classes != first.predictions.classes:
            raise DataError(
                f"Compared runs need the same classes. {first.name} has {', '.join(first.predictions.classes)} and "
                f"{other.name} {', '.join(other.predictions.classes)}. Compare the runs of one task."
            )


def _on_common_images(members):
    """The members on the images that all have, and how many of each are left out."""
    shared = set.intersection(*(set(member.predictions.paths) for member in members))
    if not shared:
        raise DataError(f"The runs {', '.join(member.name for member in members)} have no image in common.")
    left_out = {member.name: len(member.predictions) - len(shared) for member in members}
    kept = [member.of(shared) if left_out[member.name] else member for member in members]
    return kept, {name: count for name, count in left_out.items() if count}


def _check_images(members):
    first = members[0]
    for other in members[1:]:
        if set(other.predictions.paths) != set(first.predictions.paths):
            differing = set(first.predictions.paths) ^ set(other.predictions.paths)
            raise DataError(
                f"Compared runs need the same images. {first.name} has {len(first.predictions)} of its "
                f"{first.predictions.split} split and {other.name} {len(other.predictions)}; {len(differing)} are of "
                f"one alone, such as {min(differing)}. Train with the same --split-file, or give --common."
            )


def _tell_of_other_content(members):
    """Warn of runs whose images have the names of the first one's and another content, such as another resolution."""
    first = members[0].digests()
    for other in members[1:]:
        found = other.digests()
        differing = [path for path in members[0].predictions.paths if first.get(path) != found.get(path)]
        if first and found and differing:
            log.warning(
                "%s and %s have %d of %d images by the same names with another content, such as %s: compare them only "
                "if they are of the same patients.",
                members[0].name,
                other.name,
                len(differing),
                len(members[0].predictions),
                min(differing),
            )


def _tests_of(a, b, seed):
    """The tests of a pair, list of dict; p-values not adjusted."""
    found = compare_runs(a.predictions, b.predictions, decisions=(a.decision, b.decision), seed=seed)
    pair = {"a": a.name, "b": b.name}
    several = len(found["auroc"]) > 1
    tests = [
        pair
        | {
            "measure": f"auroc {name}" if several else "auroc",
            "difference": {"value": entry["difference"], "ci95": entry["ci95"]},
            "p": entry["p_value"],
            "p_permutation": entry["p_value_permutation"],
            "test": "clustered DeLong",
        }
        for name, entry in found["auroc"].items()
    ]
    accuracy = found["accuracy"]
    difference = _difference_in_accuracy(a, b)
    return [
        *tests,
        pair | {"measure": ACCURACY, "difference": difference, "p": accuracy["p_value"], "test": accuracy["test"]},
    ]


def _difference_in_accuracy(a, b):
    one, other = right_answers([a, b]).astype(float)
    return mean_by_patient(one - other, a.predictions.patient_ids, a.predictions.y_true)


def _adjust(tests, name, adjusted):
    """Holm's method among the tests of each kind of measure."""
    for of_accuracy in (False, True):
        family = [test for test in tests if name in test and (test["measure"] == ACCURACY) == of_accuracy]
        for test, value in zip(family, holm([test[name] for test in family]), strict=True):
            test[adjusted] = value
