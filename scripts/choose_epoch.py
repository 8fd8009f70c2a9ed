#!/usr/bin/env python
"""Compares rules for the epoch whose weights are kept, on unchanged and on shifted validation images.

A model is trained once. Every epoch of its last stage answers the validation images as they are and one view of each of
the six groups of shifts, whose family and severity are drawn for each image; epoch 0 is that of the starting weights.
Each rule then keeps an epoch by the unchanged images of one half of the validation patients; calibration and threshold
(with three or more classes: the most probable class) are chosen there too. Judged is the other half. Means over 20
halves are printed, for each run in the store and over all of them, with the epochs that each rule keeps. The weighted
loss is without the L2 penalty. No test image is looked at.

    python scripts/choose_epoch.py --store answers --data DIR --arch efficientnet-lite0 --mode full
"""

import argparse
import logging
import shutil
import tempfile
from pathlib import Path

import numpy as np
from choose_decision import HALVES, half_of_patients
from training_options import add_training_options, training_values

COLUMNS = ("AUROC", "NLL", "balanced accuracy", "AUROC, shifted", "balanced accuracy, shifted")


class Keeper:
    """Listener that keeps the checkpoint of every epoch of each stage.

    Args:
        folder: pathlib.Path, where they are kept.
    """

    def __init__(self, folder):
        self.folder, self.state = folder, None

    def on_epoch(self, stage, epoch, values):
        """Keep the checkpoint of the epoch before; that of this one is written after the listeners."""
        self.keep()

    def keep(self):
        """Keep the checkpoint that is there now, under its stage and epoch."""
        from medxray.training.checkpoint import load_state

        for file in self.folder.glob("run/checkpoint/state.npz"):
            position = load_state(file)[0]
            shutil.copy(file, self.folder / f"kept-{position.stage}-{position.epoch}.npz")


def asked(config):
    """Train; logits of every epoch of the last stage, dict of arrays for np.savez.

    Returns:
        `labels` (n,), `patients` (n,), `weights` (K,) of the classes in training, `unchanged` (epochs,n,K), and one
        `group:NAME` (epochs,n,K) for each group of shifts.
    """
    from medxray.models.classifier import suffix
    from medxray.run_kinds import KINDS
    from medxray.studies.tuning.shifted import shifted_logits
    from medxray.training import execution
    from medxray.training.checkpoint import load_state
    from medxray.training.loop import assign
    from medxray.training.losses import balanced_class_weights
    from medxray.training.modes import plan_stages

    folder = Path(config.runs_dir)
    keeper = Keeper(folder)
    fitted = execution.fit(config, KINDS[config.TYPE], (keeper,))
    keeper.keep()
    stage = plan_stages(fitted.config)[-1]
    trained, images, found = suffix(fitted.model, stage.cut).variables, fitted.data.fitted, {}
    assign(trained, starting_values(fitted, folder))
    for epoch in range(sum(row["stage"] == stage.name for row in fitted.history)):
        if epoch:
            assign(trained, load_state(folder / f"kept-{stage.name}-{epoch}.npz")[1])
        found.setdefault("unchanged", []).append(unchanged_logits(fitted))
        for group, logits in shifted_logits(fitted).items():
            found.setdefault(f"group:{group}", []).append(logits)
    train = images.labels[images.rows["train"]]
    return {name: np.array(logits) for name, logits in found.items()} | {
        "labels": fitted.validation.y_true,
        "patients": fitted.validation.patient_ids,
        "weights": balanced_class_weights(train, found["unchanged"][0].shape[1]),
    }


def starting_values(fitted, folder):
    """Values of the variables that the last stage trains, as they are before it: list of arrays."""
    from medxray.models.classifier import load_classifier, suffix
    from medxray.training.checkpoint import load_state
    from medxray.training.loop import assign
    from medxray.training.modes import plan_stages

    model = load_classifier(fitted.directory.initial_model_file)
    *earlier, last = plan_stages(fitted.config)
    for stage in earlier:
        epochs = max(row["epoch"] for row in fitted.history if row["stage"] == stage.name)
        assign(suffix(model, stage.cut).variables, load_state(folder / f"kept-{stage.name}-{epochs}.npz")[3])
    return [variable.numpy() for variable in suffix(model, last.cut).variables]


def unchanged_logits(fitted):
    """Logits of the validation images as they are, float32 (n,K)."""
    from medxray.models.inference import logits_model, predict_batches

    images = fitted.data.fitted
    return predict_batches(logits_model(fitted.model), images.images(images.rows["val"]).batch(32))


def nll_of_each(logits, labels):
    """Cross-entropy of each image."""
    from scipy.special import log_softmax

    return -log_softmax(logits.astype(np.float64), axis=1)[np.arange(len(labels)), labels]


def calibrated(logits, labels):
    """Loss after calibration to the same images."""
    from medxray.metrics.calibration import fit_calibration

    return nll_of_each(fit_calibration(logits, labels).scores(logits), labels).mean()


def auroc(logits, labels):
    """AUROC of the second of two classes, or the mean of each class against the others."""
    from sklearn.metrics import roc_auc_score

    scores = logits[:, 1] - logits[:, 0]
    if logits.shape[1] == 2:
        return roc_auc_score(labels, scores)
    from medxray.metrics.calibration import Calibration

    return np.mean([roc_auc_score(labels == k, odds) for k, odds in enumerate(Calibration().log_odds(logits).T)])


RULES = {
    "lowest weighted loss": lambda logits, labels, weights: (nll_of_each(logits, labels) * weights[labels]).mean(),
    "lowest NLL": lambda logits, labels, weights: nll_of_each(logits, labels).mean(),
    "lowest NLL after calibration": lambda logits, labels, weights: calibrated(logits, labels),
    "highest AUROC": lambda logits, labels, weights: -auroc(logits, labels),
}
LAST = "last epoch"


class Decision:
    """Calibration and threshold of some images, by the usual rule."""

    def __init__(self, logits, labels):
        from medxray.metrics.calibration import fit_calibration
        from medxray.metrics.threshold_rules import USUAL_RULE
        from medxray.metrics.thresholds import choose_threshold

        self._calibration, self._threshold = fit_calibration(logits, labels), None
        if logits.shape[1] == 2:
            odds = self._calibration.log_odds(logits)[:, 1]
            self._threshold = choose_threshold(labels == 1, odds, rule=USUAL_RULE).log_odds

    def nll(self, logits, labels):
        """Mean cross-entropy of the calibrated probabilities."""
        return nll_of_each(self._calibration.scores(logits), labels).mean()

    def balanced_accuracy(self, logits, labels):
        """Mean of the shares of each class that are called right."""
        odds = self._calibration.log_odds(logits)
        called = odds.argmax(axis=1) if self._threshold is None else (odds[:, 1] >= self._threshold).astype(int)
        return np.mean([(called == labels)[labels == k].mean() for k in np.unique(labels)])


def compare(answers):
    """Judge every rule for one run.

    Returns:
        dict rule -> (figures as COLUMNS, dict epoch -> how often it was kept).
    """
    labels, patients, weights, clean = (answers[name] for name in ("labels", "patients", "weights", "unchanged"))
    drawn = [answers[name] for name in answers if name.startswith("group:")]
    found = {name: ([], []) for name in (*RULES, LAST)}
    for seed in range(HALVES):
        here = half_of_patients(patients, labels, seed)
        there = ~here
        for name, (figures, kept) in found.items():
            worth = [0 if name == LAST else RULES[name](part[here], labels[here], weights) for part in clean]
            epoch = len(clean) - 1 if name == LAST else int(np.argmin(worth))
            decision = Decision(clean[epoch][here], labels[here])
            views = [part[epoch][there] for part in drawn]
            figures.append(
                (
                    auroc(clean[epoch][there], labels[there]),
                    decision.nll(clean[epoch][there], labels[there]),
                    decision.balanced_accuracy(clean[epoch][there], labels[there]),
                    np.mean([auroc(view, labels[there]) for view in views]),
                    np.mean([decision.balanced_accuracy(view, labels[there]) for view in views]),
                )
            )
            kept.append(epoch)
    return {name: (np.mean(figures, axis=0), counted(kept)) for name, (figures, kept) in found.items()}


def counted(kept):
    """Dict epoch -> how often it was kept."""
    return dict(zip(*(values.tolist() for values in np.unique(kept, return_counts=True)), strict=True))


def show(title, results):
    """Print a table."""
    print(f"\n| {title} | {' | '.join(COLUMNS)} | epochs kept |\n{'|---' * (len(COLUMNS) + 2)}|")
    for name, (figures, kept) in results.items():
        epochs = ", ".join(f"{epoch} ({times})" for epoch, times in kept.items())
        print(f"| {name} | {' | '.join(f'{figure:.4f}' for figure in figures)} | {epochs} |", flush=True)


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_training_options(parser)
    parser.add_argument("--store", default="epoch-answers", metavar="DIR", help="Where the answers are kept.")
    return parser.parse_args()


def main():
    """Train where the store has no answers, and print the tables of all runs in it."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import TrainConfig
    from medxray.system.storage import text_sha256

    logging.getLogger("medxray").setLevel(logging.ERROR)
    store = Path(args.store)
    store.mkdir(parents=True, exist_ok=True)
    values = training_values(args)
    file = store / f"{args.arch}-{args.mode}-{args.seed}-{text_sha256(*map(str, values.items()))[:12]}.npz"
    if not file.exists():
        with tempfile.TemporaryDirectory() as folder:
            answers = asked(TrainConfig(**values, runs_dir=folder, name="run"))
        np.savez(file, **answers)
    results = {}
    for path in sorted(store.glob("*.npz")):
        with np.load(path, allow_pickle=False) as answers:
            results[path.stem] = compare(dict(answers))
        show(path.stem, results[path.stem])
    means = {name: (np.mean([found[name][0] for found in results.values()], axis=0), {}) for name in (*RULES, LAST)}
    show(f"mean of {len(results)} runs", means)


if __name__ == "__main__":
    main()
