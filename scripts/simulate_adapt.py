#!/usr/bin/env python
"""Simulates `medxray adapt`: shifted views of the test images of a run are the new place.

Each family of exposure and framing at one severity is a place. Some patients of each class are drawn from the test
patients and labelled; their number per class is not that of the place, so its prevalence is given, that of the test
images. The decision that `adapt` leaves (the stored one where the adaptation is not kept) is judged on the other
test patients. Printed are means over draws and, in brackets, the range from 5 to 95 % of the draws; then what other
ways to a threshold would give. The model sees each view of each image once.

    python scripts/simulate_adapt.py RUN --data DIR --draws 20 --seed 0
"""

import argparse
import dataclasses

import numpy as np

SITES = ("exposure", "framing")
FIGURES = ("sensitivity", "specificity", "ECE")
BALANCED = "balanced accuracy"


def draw_patients(patients, y_true, count, rng):
    """Bool array (n,): the images of `count` patients of each class, drawn at random.

    Raises SystemExit where a class would have no other patient left. Patients with images of several classes are
    never drawn.
    """
    from medxray.metrics.bootstrap import strata

    patient, stratum = strata(patients, y_true)
    chosen = []
    for label in np.unique(y_true):
        members = np.flatnonzero(stratum == label)
        if len(members) <= count:
            raise SystemExit(
                f"A draw needs more than {count} patients of each class in the test split. Class {label} has "
                f"{len(members)}. Give fewer with --patients, or other data with --data."
            )
        chosen.append(rng.permutation(members)[:count])
    return np.isin(patient, np.concatenate(chosen))


def figures_of(decision, part):
    """Sensitivity, specificity, ECE and balanced accuracy of a decision, dict."""
    from medxray.metrics import reliability

    called = decision.labels(part.logits) == 1
    sick = part.is_positive
    event = reliability.confidence_and_outcome(part.probabilities(decision.calibration), part.y_true)
    found = {"sensitivity": called[sick].mean(), "specificity": (~called[~sick]).mean(), "ECE": reliability.ece(*event)}
    return found | {BALANCED: (found["sensitivity"] + found["specificity"]) / 2}


def other_thresholds(drawn, place, decision):
    """Ways to a threshold on the adapted probabilities that `adapt` does not take: dict words -> Decision."""
    from scipy.special import logit

    from medxray.metrics.thresholds import OperatingPoint, choose_threshold

    stored, new = place.decision.threshold, place.prevalence(drawn)[-1]
    prior = 0.0 if place.old is None else logit(new) - logit(place.old[-1])
    log_odds = drawn.log_odds(decision.calibration)[:, 1]
    points = {
        "the stored weight of evidence": OperatingPoint(0, "-", "-", stored.log_odds + prior),
        "the stored probability": stored,
        "Youden's rule on the drawn patients": choose_threshold(drawn.is_positive, log_odds, rule="youden"),
    }
    return {words: dataclasses.replace(decision, threshold=point) for words, point in points.items()}


def simulate(predictions, place, *, draws, patients, seed):
    """Adapt and judge at one place.

    Args:
        predictions: `Predictions` of the place, binary.
        place: metrics.adaptation.Place.
        draws: how often patients are drawn.
        patients: of each class in a draw.
        seed: of the draws.

    Returns:
        (dict name -> list of a dict of figures for each draw, with "before", "after" and the `other_thresholds`;
        list of bool, whether the adaptation was kept).
    """
    from medxray.metrics.adaptation import decide

    found, kept, rng = {}, [], np.random.default_rng(seed)
    for _ in range(draws):
        mask = draw_patients(predictions.patient_ids, predictions.y_true, patients, rng)
        drawn, others = predictions.where(mask), predictions.where(~mask)
        made = decide(drawn, place, site="")
        kept.append(made.kept)
        decisions = {"before": place.decision, "after": made.decision if made.kept else place.decision}
        decisions |= other_thresholds(drawn, place, made.decision)
        for name, decision in decisions.items():
            found.setdefault(name, []).append(figures_of(decision, others))
    return found, kept


def column(found, name, figure):
    """The values of a figure over the draws, float array."""
    return np.array([one[figure] for one in found[name]])


def text(values):
    """Mean and range, such as "0.912 [0.900, 0.921]"."""
    low, high = np.quantile(values, [0.05, 0.95])
    return f"{np.mean(values):.3f} [{low:.3f}, {high:.3f}]"


def row(name, found, kept):
    """A line of the table of places."""
    cells = [text(column(found, side, figure)) for figure in FIGURES for side in ("before", "after")]
    return f"| {name} | {100 * np.mean(kept):.0f} % | " + " | ".join(cells) + " |"


def joined(parts):
    """The draws of several places as one."""
    return {name: [one for found in parts for one in found[name]] for name in parts[0]}


def print_tables(results):
    """Print what `simulate` found for each place: dict name -> (found, kept)."""
    header = ["place", "kept", *(f"{figure} {side}" for figure in FIGURES for side in ("before", "after"))]
    print("| " + " | ".join(header) + " |\n" + "|---" * len(header) + "|")
    for name, (found, kept) in results.items():
        print(row(name, found, kept))
    everything = joined([found for found, _ in results.values()])
    print(row("all", everything, np.concatenate([kept for _, kept in results.values()])))
    print(f"\n| threshold | {BALANCED} | worse than the stored decision |\n|---|---|---|")
    before = column(everything, "before", BALANCED)
    for name in everything:
        values = column(everything, name, BALANCED)
        print(f"| {name} | {text(values)} | {100 * np.mean(values < before - 1e-12):.0f} % of draws |")


def places_of(run, data, severity, label_map):
    """The clean test images as a place, and its shifted views: dict name -> Predictions."""
    from medxray.data.shifts.families import families_of
    from medxray.evaluation.evaluate import part_of_data
    from medxray.evaluation.shifts import ShiftedLogits

    how = {"label_map": label_map, "columns": {}, "exclude_known": False}
    part, _, _ = part_of_data(run, data, "test", **how)
    predictions, pictures = run.predict_manifest(part, split="test")
    views = [(family, severity) for group in SITES for family in families_of(group)]
    logits = ShiftedLogits(run).predict(pictures, views)
    shifted = {view[0]: dataclasses.replace(predictions, logits=found) for view, found in logits.items()}
    return {"unchanged": predictions} | shifted


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--data", metavar="DIR", help="Where the run's images are, or other labelled images.")
    parser.add_argument("--label-map", metavar="a=B,...", help="Labels of other images, and the classes they mean.")
    parser.add_argument("--draws", type=int, default=20, metavar="N", help="Draws for each place.")
    parser.add_argument("--patients", type=int, default=25, metavar="N", help="Patients of each class in a draw.")
    parser.add_argument("--severity", type=int, default=2, choices=(1, 2, 3), help="Of the shifted views.")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="Of the draws.")
    return parser.parse_args()


def main():
    """Print the tables."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import load_run
    from medxray.data.layouts.labels import parse_label_map
    from medxray.metrics.adaptation import Place
    from medxray.metrics.prior_shift import shares
    from medxray.studies.site import check_run, old_prevalence

    run = load_run(args.run)
    check_run(run)
    if run.decision.threshold is None:
        raise SystemExit(f"Expected a run of two classes. {run.path} has {len(run.classes)}.")
    views = places_of(run, args.data, args.severity, parse_label_map(args.label_map))
    clean = views["unchanged"]
    place = Place(run.decision, old_prevalence(run), tuple(shares(clean.y_true, 2)))
    settings = {"draws": args.draws, "patients": args.patients, "seed": args.seed}
    print_tables({name: simulate(predictions, place, **settings) for name, predictions in views.items()})
    print(
        f"\n{run.name}: {len(clean)} images of {clean.n_patients} patients, {args.draws} draws of {args.patients} "
        f"patients of each class, severity {args.severity}, seed {args.seed}, rule {run.decision.threshold.rule}."
    )


if __name__ == "__main__":
    main()
