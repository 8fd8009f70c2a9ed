#!/usr/bin/env python
"""Compares rules for the threshold, on unchanged and on shifted validation images, without looking at a test image.

For each of the six groups of shifts: the threshold is chosen in one half of the validation patients, on the unchanged
images alone or together with shifted views of the other five groups. It is judged in the other half, by the balanced
accuracy on views of the group that was left out and by the accuracy on unchanged images. Means over groups, 20 halves
and the runs are printed. The rule was fixed before: the highest balanced accuracy wins among those that lose at most
.02 of the accuracy that Youden's rule on unchanged images has there. A second table has each run on all validation
images: its AUROC and balanced accuracy on each group of views, at the threshold of the usual rule on unchanged images.

The answers of each run are kept in --store, so that a run is asked once.

    python scripts/choose_decision.py RUN RUN RUN
"""

import argparse

import numpy as np
from stored_answers import answers_file

HALVES, LOSS = 20, 0.02
REPLICATES, PLATEAU = 50, 0.01  # bootstrap replicates; J within this of its highest is a plateau
REFERENCE = ("clean", "youden")


def youden(positive, score):
    """Highest sensitivity + specificity - 1."""
    from medxray.metrics.thresholds import choose_threshold

    return choose_threshold(positive, score, rule="youden").log_odds


def sensitivity(positive, score):
    """Sensitivity of .95."""
    from medxray.metrics.thresholds import choose_threshold

    return choose_threshold(positive, score, rule="sensitivity:0.95").log_odds


def bounded_youden(positive, score):
    """The higher of the two thresholds above."""
    from medxray.metrics.thresholds import choose_threshold

    return choose_threshold(positive, score, rule="youden:0.95").log_odds


def bootstrap_youden(positive, score):
    """Mean of Youden's threshold over bootstrap replicates of each class."""
    rng, found = np.random.default_rng(0), []
    sick, healthy = score[positive], score[~positive]
    for _ in range(REPLICATES):
        drawn = np.concatenate([rng.choice(sick, len(sick)), rng.choice(healthy, len(healthy))])
        found.append(youden(np.arange(len(drawn)) < len(sick), drawn))
    return float(np.mean(found))


def equal(positive, score):
    """Sensitivity and specificity as equal as can be."""
    thresholds, sens, spec = curve(positive, score)
    return float(thresholds[np.abs(sens - spec).argmin()])


def plateau(positive, score):
    """The middle of the thresholds whose J is close to the highest."""
    thresholds, sens, spec = curve(positive, score)
    high = thresholds[sens + spec >= (sens + spec).max() - PLATEAU]
    return float((high.min() + high.max()) / 2)


def curve(positive, score):
    """Thresholds at the scores, with sensitivity and specificity there."""
    thresholds = np.unique(score)
    sick, healthy = np.sort(score[positive]), np.sort(score[~positive])
    sens = 1 - np.searchsorted(sick, thresholds, side="left") / len(sick)
    return thresholds, sens, np.searchsorted(healthy, thresholds, side="left") / len(healthy)


RULES = {
    "youden": youden,
    "mean of youden over bootstrap replicates": bootstrap_youden,
    "equal sensitivity and specificity": equal,
    "middle of the plateau": plateau,
    "sensitivity:0.95": sensitivity,
    "youden:0.95": bounded_youden,
}


def views_of(path, store):
    """Validation images of a run: patients, positives, log-odds of unchanged images and of a view of each group.

    Args:
        path: of the run.
        store: folder in which the answers are kept.
    """
    from medxray.runs.directory import open_run

    file = answers_file(open_run(path), store)
    if not file.exists():
        patients, positive, clean, drawn = _asked(path)
        np.savez(file, patients=patients, positive=positive, clean=clean, **{f"group:{k}": v for k, v in drawn.items()})
    with np.load(file, allow_pickle=False) as kept:
        drawn = {name.removeprefix("group:"): kept[name] for name in kept if name.startswith("group:")}
        return kept["patients"], kept["positive"], kept["clean"], drawn


def _asked(path):
    from medxray import load_run
    from medxray.evaluation.shifts import logits_of_draws
    from medxray.models.inference import compiled, logits_model
    from medxray.runs.images import own_manifest

    run = load_run(path)
    predictions, pictures = run.predict_manifest(own_manifest(run, "val"), split="val")
    forward = compiled(logits_model(run.model))
    drawn = logits_of_draws(lambda images: forward(images)[0].numpy(), pictures, batch=run.batch)
    odds = {name: logits[:, 1] - logits[:, 0] for name, logits in drawn.items()}
    return predictions.patient_ids, predictions.is_positive, predictions.logits[:, 1] - predictions.logits[:, 0], odds


def half_of_patients(patients, labels, seed):
    """Bool mask: half of the patients of each class."""
    rng, chosen = np.random.default_rng(seed), []
    for label in np.unique(labels):
        names = np.unique(patients[labels == label])
        chosen += list(rng.permutation(names)[: len(names) // 2])
    return np.isin(patients, chosen)


def judge(positive, score, threshold):
    """(accuracy, balanced accuracy) of a threshold."""
    called = score >= threshold
    right = called == positive
    return right.mean(), (right[positive].mean() + right[~positive].mean()) / 2


def compare(views):
    """Judge every rule on every kind of views, for one run.

    Args:
        views: what `views_of` returns.

    Returns:
        dict (views, rule) -> (accuracy on unchanged images, balanced accuracy on the group left out, the lowest of the
        groups), means over halves and groups.
    """
    patients, positive, clean, drawn = views
    found = {}
    for half in range(HALVES):
        here = half_of_patients(patients, positive, half)
        for left_out in drawn:
            others = [score[here] for group, score in drawn.items() if group != left_out]
            sets = {
                "clean": (positive[here], clean[here]),
                "shifted": (
                    np.tile(positive[here], 2 * len(others)),
                    np.concatenate([clean[here]] * len(others) + others),
                ),
            }
            for (kind, (truth, score)), (name, rule) in ((one, two) for one in sets.items() for two in RULES.items()):
                threshold = rule(truth, score)
                accuracy = judge(positive[~here], clean[~here], threshold)[0]
                balanced = judge(positive[~here], drawn[left_out][~here], threshold)[1]
                found.setdefault((kind, name), {}).setdefault(left_out, []).append((accuracy, balanced))
    return {key: _means(groups) for key, groups in found.items()}


def _means(groups):
    means = np.array([np.mean(values, axis=0) for values in groups.values()])
    return (*means.mean(axis=0), means[:, 1].min())


def of_groups(views):
    """What a run gives on unchanged validation images and on each group of views.

    Args:
        views: what `views_of` returns.

    Returns:
        dict group, "unchanged" or "mean of groups" -> (AUROC, balanced accuracy at the threshold of the usual rule).
    """
    from sklearn.metrics import roc_auc_score

    from medxray.metrics.threshold_rules import USUAL_RULE
    from medxray.metrics.thresholds import choose_threshold

    _, positive, clean, drawn = views
    threshold = choose_threshold(positive, clean, rule=USUAL_RULE).log_odds
    found = {
        name: (roc_auc_score(positive, score), judge(positive, score, threshold)[1])
        for name, score in {"unchanged": clean, **drawn}.items()
    }
    return found | {"mean of groups": tuple(np.mean([found[name] for name in drawn], axis=0))}


def choice(results):
    """The pair (views, rule) that wins: the highest balanced accuracy among those that lose little clean accuracy."""
    least = results[REFERENCE][0] - LOSS
    allowed = {key: found for key, found in results.items() if found[0] >= least}
    return max(allowed, key=lambda key: allowed[key][1])


def main():
    """Print the table of all runs and the choice."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--store", default="validation-answers", metavar="DIR", help="Where the answers are kept.")
    args = parser.parse_args()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    views = [views_of(path, args.store) for path in args.runs]
    parts = [compare(one) for one in views]
    results = {key: tuple(np.mean([part[key] for part in parts], axis=0)) for key in parts[0]}
    print("| views | rule | accuracy, unchanged | balanced accuracy, group left out | lowest group |")
    print("|---|---|---|---|---|")
    for (kind, rule), figures in sorted(results.items(), key=lambda item: -item[1][1]):
        print(f"| {kind} | {rule} | " + " | ".join(f"{figure:.4f}" for figure in figures) + " |")
    print(f"\nChosen: {' views, '.join(choice(results))}. Runs: {', '.join(args.runs)}.")
    print(f"{HALVES} halves, seeds 0-{HALVES - 1}.\n")
    groups = [of_groups(one) for one in views]
    print("| AUROC, balanced accuracy | " + " | ".join(groups[0]) + " |\n" + "|---" * (len(groups[0]) + 1) + "|")
    for path, found in zip(args.runs, groups, strict=True):
        print(f"| {path} | " + " | ".join(f"{auroc:.3f}, {balanced:.3f}" for auroc, balanced in found.values()) + " |")


if __name__ == "__main__":
    main()
