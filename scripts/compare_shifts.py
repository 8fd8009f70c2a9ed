#!/usr/bin/env python
"""Compares runs of one split under shifted views of the same test patients.

Every run answers all families and severities of a seeded sample of test patients, in the proportions of the classes.
Printed are means over the views for each run and each of its decisions (on clean and on shifted validation views), and
the difference to the first line in balanced accuracy, with an interval that takes the same patients in both. ECE stands
there three times: the mean over the views; what that would be were the probabilities true, since few images alone make
an ECE (labels drawn from the probabilities, 20 times, seed 0); and that of all views together.
The answers are kept in --store, so that a run is asked once. --threshold-rule adds a decision by another rule on the
stored answers to unchanged validation images.

    python scripts/compare_shifts.py --patients 100 RUN RUN ...
    python scripts/compare_shifts.py --patients 100 --threshold-rule sensitivity:0.9 RUN RUN ...
"""

import argparse

import numpy as np
from stored_answers import answers_file

DRAWS = 20  # of labels
COLUMNS = ("run, decision", "AUROC", "balanced accuracy", "minus the first", "sensitivity, specificity")
COLUMNS += ("ECE of a view", "were the probabilities true", "ECE of all views", "worst")


def answers_of(path, patients, store):
    """A run, the predictions of its sample, and the logits of all views: dict (family, severity) -> array (n,K)."""
    from medxray import load_run
    from medxray.data.shifts.families import VIEWS
    from medxray.evaluation.shift_sample import patients_in_order
    from medxray.evaluation.shifts import ShiftedLogits
    from medxray.runs.images import own_manifest

    run, test = load_run(path), own_manifest(load_run(path), "test")
    order = patients_in_order(_Truth(test))[:patients]
    part = test.where(np.isin(test.patients(), order))
    predictions, pictures = run.predict_manifest(part, split="test")
    file = answers_file(run.directory, store, patients or "all")
    if not file.exists():
        logits = ShiftedLogits(run).predict(pictures, VIEWS)
        np.savez(file, **{f"{family}:{severity}": found for (family, severity), found in logits.items()})
    with np.load(file, allow_pickle=False) as stored:
        logits = {tuple(name.split(":")): found for name, found in stored.items()}
    return run, predictions, {(family, int(severity)): found for (family, severity), found in logits.items()}


class _Truth:
    """What `patients_in_order` reads of predictions, of a manifest."""

    def __init__(self, manifest):
        self.patient_ids = manifest.patients()
        self.y_true = np.unique(manifest.table["label"], return_inverse=True)[1]


def right_by_class(predictions, decision, logits):
    """Bool array (views, n): the label is right."""
    return np.stack([decision.labels(found) == predictions.y_true for found in logits.values()])


def eces(predictions, decision, logits):
    """ECE of all views together, and the mean ECE of a view were the probabilities true, see the top of the file."""
    from medxray.metrics.reliability import confidence_and_outcome, ece

    random, found, expected = np.random.default_rng(0), [], []
    for one in logits.values():
        probabilities = decision.calibration.probabilities(one)
        found.append(confidence_and_outcome(probabilities, predictions.y_true))
        for _ in range(DRAWS):
            drawn = (random.random((len(one), 1)) > np.cumsum(probabilities, axis=1)[:, :-1]).sum(axis=1)
            expected.append(ece(*confidence_and_outcome(probabilities, drawn)))
    return ece(*map(np.concatenate, zip(*found, strict=True))), np.mean(expected)


def balanced_accuracies(right, truth, weights):
    """Mean balanced accuracy over the views in each resample: float array (resamples,)."""
    recalls = []
    for label in np.unique(truth):
        here = weights[:, truth == label]
        recalls.append(here @ right[:, truth == label].mean(axis=0) / here.sum(axis=1))
    return np.mean(recalls, axis=0)


def decisions_of(run, rule):
    """The decisions of a run, and the one that a rule makes on its unchanged validation images; None: no rule."""
    from medxray.metrics.decision import VALIDATION, fit_decision
    from medxray.metrics.prediction_table import read_predictions

    yield from filter(None, (run.decision, run.other_decision))
    if rule is not None:
        yield fit_decision(read_predictions(run.directory.predictions_file)[VALIDATION], rule=rule)


def lines_of(path, patients, store, rule):
    """For each decision of a run: its name, its figures, and what the paired interval needs."""
    from medxray.metrics.shifts import evaluate_shifts

    run, predictions, logits = answers_of(path, patients, store)
    groups = dict.fromkeys({family for family, _ in logits}, "all")
    for decision in decisions_of(run, rule):
        found = evaluate_shifts(predictions, decision, logits, groups=groups)
        found["eces"] = eces(predictions, decision, logits)
        chosen = "" if decision.threshold is None else f" {decision.threshold.rule}"
        yield (
            f"{path}, {decision.decided_on}{chosen}",
            found,
            right_by_class(predictions, decision, logits),
            predictions,
        )


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--patients", type=int, metavar="N", help="Test patients, drawn by seed 0; default: all.")
    parser.add_argument("--store", default="shifted-answers", metavar="DIR", help="Where the answers are kept.")
    parser.add_argument("--threshold-rule", metavar="RULE", help="As for `medxray train`; two classes.")
    args = parser.parse_args()
    from medxray.metrics.bootstrap import percentile_interval, resample_weights
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    print("|".join(("", *COLUMNS, "")) + "\n" + "|---" * len(COLUMNS) + "|")
    reference = None
    for path in args.runs:
        for name, found, right, predictions in lines_of(path, args.patients, args.store, args.threshold_rule):
            weights = np.concatenate(list(resample_weights(predictions.patient_ids, predictions.y_true)))
            own = balanced_accuracies(right, predictions.y_true, weights)
            if reference is None:
                reference = (predictions.paths, own, found["balanced_accuracy"]["value"])
            if list(reference[0]) != list(predictions.paths):
                parser.error(f"{path} has other test images than {args.runs[0]}.")
            print(_line(name, found, own - reference[1], reference[2], percentile_interval))
    print(f"\n{found['n']} images of {found['n_patients']} patients, {right.shape[0]} views of each.")


def _line(name, found, differences, first, interval):
    low, high = interval(differences)
    auroc, balanced, worst = found["mean_auroc"], found["balanced_accuracy"], found["worst"]["balanced_accuracy"]
    return (
        f"| {name} | {_figure(auroc)} | {_figure(balanced)} | "
        f"{balanced['value'] - first:+.3f} [{low:+.3f}, {high:+.3f}] | "
        f"{found['sensitivity']['value']:.3f}, {found['specificity']['value']:.3f} | {found['mean_ece']:.3f} | "
        f"{found['eces'][1]:.3f} | {found['eces'][0]:.3f} | "
        f"{worst['family']} {worst['severity']}: {worst['value']:.3f} |"
    )


def _figure(figure):
    low, high = figure["ci95"]
    return f"{figure['value']:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
