#!/usr/bin/env python
"""Compares how far an adaptation is held to the stored calibration, and how its threshold is carried over, on scores.

No image takes part: scores of both classes are drawn, a decision is fitted to 600 sick and 210 healthy validation
patients, and 25 patients of each class of another place adapt it. A place multiplies the scores and moves them. Judged
are the NLL at the prevalence of the place, and the balanced accuracy of each threshold, on 2,000 other patients of each
class. Printed are means over places, two shapes of scores, two prevalences and --draws draws.

    python scripts/choose_adaptation.py --draws 15 --seed 0
"""

import argparse
import dataclasses
import itertools

import numpy as np
from simulate_adapt import BALANCED, figures_of, other_thresholds

PLACES = ((1, 0), (0.8, 0.3), (0.7, 0.5), (0.7, 1.0), (0.6, 1.5), (1, -1), (0.5, -1), (1.2, 0))
PREVALENCES = (0.74, 0.3)
SPREADS = tuple(itertools.product((0.25, 0.5, 1.0), (1.0, 2.0, 4.0, 8.0)))


def heavy_tails(rng, sick, healthy):
    """Scores with a heavy tail on both sides."""
    return np.concatenate([-1.8 + rng.standard_t(6, healthy), 1.8 + rng.standard_t(6, sick)])


def one_sided(rng, sick, healthy):
    """Healthy scores close together, sick ones with a long tail towards them."""
    return np.concatenate([-1.2 + 0.6 * rng.standard_t(5, healthy), 4 - rng.gamma(1.5, 1.3, sick)])


def drawn(rng, shape, sick, healthy, place=(1, 0)):
    """`Predictions` of simulated patients with one image each."""
    from medxray.metrics.predictions import Predictions

    score = place[0] * shape(rng, sick, healthy) + place[1]
    count = sick + healthy
    return Predictions(
        paths=tuple(map(str, range(count))),
        patient_ids=np.arange(count),
        y_true=np.repeat([0, 1], (healthy, sick)),
        logits=np.stack([np.zeros(count), score], axis=1),
        classes=("NORMAL", "PNEUMONIA"),
        positive="PNEUMONIA",
        split="val",
    )


def nll(decision, part, prevalence):
    """Mean negative log-likelihood at a prevalence of the positive class."""
    from medxray.metrics.prior_shift import weights_to
    from medxray.metrics.reliability import nll_terms

    terms = nll_terms(part.log_probabilities(decision.calibration), part.y_true)
    return (weights_to(part.y_true, (1 - prevalence, prevalence)) * terms).mean()


def draw(rng, shape, place, prevalence):
    """One draw: (dict spreads -> NLL, dict threshold -> balanced accuracy)."""
    from medxray.metrics.adaptation import Place, adapted_decision, fit_adaptation
    from medxray.metrics.decision import fit_decision

    stored = fit_decision(drawn(rng, shape, 600, 210))
    known = Place(stored, (210 / 810, 600 / 810), (1 - prevalence, prevalence))
    sample, others = drawn(rng, shape, 25, 25, place), drawn(rng, shape, 2000, 2000, place)
    losses = {"stored": nll(stored, others, prevalence)}
    for slope, shift in SPREADS:
        fitted = fit_adaptation(sample, known, slope_spread=slope, shift_spread=shift)
        losses[slope, shift] = nll(
            dataclasses.replace(stored, calibration=fitted.calibration(stored.calibration)), others, prevalence
        )
    adapted, _ = adapted_decision(sample, known, site="")
    decisions = {"stored decision": stored, "adapt": adapted} | other_thresholds(sample, known, adapted)
    return losses, {name: figures_of(decision, others)[BALANCED] for name, decision in decisions.items()}


def main():
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=15, metavar="N", help="Draws for each place.")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="Of the draws.")
    args = parser.parse_args()
    rng, losses, balanced = np.random.default_rng(args.seed), {}, {}
    cases = itertools.product((heavy_tails, one_sided), PLACES, PREVALENCES, range(args.draws))
    for shape, place, prevalence, _ in cases:
        for table, values in zip((losses, balanced), draw(rng, shape, place, prevalence), strict=True):
            for name, value in values.items():
                table.setdefault(name, []).append(value)
    print("| spread of slope, shift | NLL |\n|---|---|")
    for name, values in losses.items():
        print(f"| {name if isinstance(name, str) else ', '.join(map(str, name))} | {np.mean(values):.4f} |")
    print(f"\n| threshold | {BALANCED} | lowest 5 % of draws |\n|---|---|---|")
    for name, values in balanced.items():
        print(f"| {name} | {np.mean(values):.4f} | {np.quantile(values, 0.05):.4f} |")


if __name__ == "__main__":
    main()
