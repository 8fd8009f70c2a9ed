#!/usr/bin/env python
"""Simulations of what the intervals and tests of medxray promise: coverage and error of the first kind.

Draws patients with one to four images each, scores with a part that images of a patient share, and classes that are
separated as a given AUROC says. Prints Markdown tables: how often the 95 % interval of the AUROC covers the true value,
and how often the tests of two equally good models have a p-value of at most .05.

    python scripts/check_statistics.py                 # all of docs/notes/audit.md, about half an hour on one core
    python scripts/check_statistics.py --draws 200     # a quick look
"""

import argparse
from statistics import NormalDist

import numpy as np

from medxray.metrics.clustered import clustered_auroc
from medxray.metrics.intervals import wilson_by_patient
from medxray.metrics.paired import auroc_difference, permutation_test, sign_flip_test

AUROCS = (0.90, 0.95, 0.98, 0.99)
PATIENTS = (25, 50, 100)
SHARED = 0.5  # share of the variance of a score that the images of a patient have in common


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=4000, help="simulated data sets per row")
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def patients_of(rng, patients, most):
    """Class and patient of each image: `patients` of each class with 1 to `most` images."""
    images = rng.integers(1, most + 1, size=2 * patients)
    number = np.arange(2 * patients)
    return np.repeat(number >= patients, images), np.repeat(number, images)


def scores_of(rng, is_positive, patient, *, auroc, models=1, alike=0.5):
    """Scores of models of one true AUROC, float64 (models, n); `alike`: share of the variance the models share."""
    distance = np.sqrt(2) * NormalDist().inv_cdf(auroc)

    def noise():
        common = rng.normal(size=patient.max() + 1)[patient]
        return np.sqrt(SHARED) * common + np.sqrt(1 - SHARED) * rng.normal(size=len(patient))

    both = noise()
    parts = [np.sqrt(alike) * both + np.sqrt(1 - alike) * noise() for _ in range(models)]
    return np.stack(parts) + distance * is_positive


def coverage_row(args, patients, most, auroc):
    """Coverage of the interval of the AUROC and its mean width."""
    rng = np.random.default_rng([args.seed, patients, most, round(1000 * auroc)])
    covered, width = 0, 0.0
    for _ in range(args.draws):
        is_positive, patient = patients_of(rng, patients, most)
        low, high = clustered_auroc(
            is_positive, scores_of(rng, is_positive, patient, auroc=auroc)[0], patient
        ).interval()
        covered, width = covered + (low <= auroc <= high), width + high - low
    return covered / args.draws, width / args.draws


def proportion_row(args, patients, most, share):
    """Coverage of the interval by patient of a share of right answers."""
    rng = np.random.default_rng([args.seed, patients, most, round(1000 * share), 1])
    limit, covered = NormalDist().inv_cdf(share), 0
    for _ in range(args.draws):
        is_positive, patient = patients_of(rng, patients, most)
        noise = scores_of(rng, np.zeros(len(patient), bool), patient, auroc=0.5)[0]
        low, high = wilson_by_patient(noise <= limit, np.ones(len(patient), bool), patient)
        covered += low <= share <= high
    return covered / args.draws


def type_one_row(args, patients, most, auroc):
    """How often each test of two equally good models has p <= .05."""
    rng = np.random.default_rng([args.seed, patients, most, round(1000 * auroc), 2])
    wrong = np.zeros(3)
    for draw in range(args.draws):
        is_positive, patient = patients_of(rng, patients, most)
        scores = scores_of(rng, is_positive, patient, auroc=auroc, models=2)
        threshold = np.sqrt(2) * NormalDist().inv_cdf(auroc) / 2
        correct = (scores > threshold) == is_positive
        by_delong = auroc_difference(is_positive, scores, patient)["p_value"]
        p_values = (
            1.0 if by_delong is None else by_delong,
            permutation_test(is_positive, scores, patient, draws=args.permutations, seed=draw),
            sign_flip_test(*correct, patient, draws=args.permutations, seed=draw),
        )
        wrong += np.array(p_values) <= 0.05
    return wrong / args.draws


def main():
    """Print the three tables."""
    args = options()
    print(f"{args.draws} simulated data sets per row, seed {args.seed}.\n")
    print("| patients per class | images per patient | AUROC | coverage | mean width |\n|---|---|---|---|---|")
    for patients in PATIENTS:
        for most in (1, 4):
            for auroc in AUROCS:
                covered, width = coverage_row(args, patients, most, auroc)
                print(f"| {patients} | 1 to {most} | {auroc:.2f} | {covered:.3f} | {width:.3f} |", flush=True)
    print("\n| patients | images per patient | share | coverage |\n|---|---|---|---|")
    for patients in PATIENTS:
        for share in (0.80, 0.95, 0.99):
            print(f"| {2 * patients} | 1 to 4 | {share:.2f} | {proportion_row(args, patients, 4, share):.3f} |")
    print("\n| patients per class | images per patient | AUROC | clustered DeLong | permutation | sign-flip |")
    print("|---|---|---|---|---|---|")
    for patients, most, auroc in ((25, 4, 0.90), (50, 1, 0.90), (50, 4, 0.90), (50, 4, 0.97), (100, 4, 0.95)):
        rates = " | ".join(f"{rate:.3f}" for rate in type_one_row(args, patients, most, auroc))
        print(f"| {patients} | 1 to {most} | {auroc:.2f} | {rates} |", flush=True)


if __name__ == "__main__":
    main()
