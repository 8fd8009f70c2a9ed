"""Runs as training leaves them, without a model: predictions are simulated, images are drawn."""

import cv2
import numpy as np
import pandas as pd
import pytest

from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.metrics.prediction_table import write_predictions
from medxray.metrics.predictions import Predictions
from medxray.metrics.report import evaluate_split
from medxray.metrics.thresholds import OperatingPoint
from medxray.runs.directory import RunDir
from medxray.system import storage

HISTORY = pd.DataFrame(
    {
        "stage": ["head", "head", "main", "main", "main"],
        "epoch": [1, 2, 0, 1, 2],
        "loss": [0.7, 0.6, np.nan, 0.5, 0.4],
        "val_loss": [0.69, 0.62, 0.61, 0.51, 0.55],
        "val_auroc": [0.6, 0.7, 0.71, 0.8, 0.79],
        "learning_rate": [1e-3, 1e-3, np.nan, 1e-4, 5e-5],
        "seconds": [1.0, 1.1, 0.3, 2.0, 2.1],
    }
)


def simulated(classes, n, *, split="test", seed=0, skill=1.6):
    """Predictions of `n` images of a model of some skill, two images a patient; every other positive one is viral."""
    rng, k = np.random.default_rng(seed), len(classes)
    y_true = np.arange(n) // 2 % k
    subtypes = tuple(np.where(y_true == 1, np.where(np.arange(n) % 2, "virus", "bacteria"), "")) if k == 2 else None
    return Predictions(
        paths=tuple(f"{split}/{number:03}.png" for number in range(n)),
        patient_ids=np.array([f"{split}{number // 2}" for number in range(n)]),
        y_true=y_true,
        logits=rng.normal(size=(n, k)) + skill * np.eye(k)[y_true],
        classes=tuple(classes),
        positive=classes[-1] if k == 2 else None,
        split=split,
        subtypes=subtypes,
    )


def write_image(file, seed, *, height=40, width=48):
    """A small random picture that is smooth."""
    coarse = np.random.default_rng(seed).integers(0, 255, (5, 6), np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))


def write_stored_run(folder, *, classes=("NORMAL", "PNEUMONIA"), n=60, seed=0, images=True, kind="classifier"):
    """A completed run in `folder`/run with its images in `folder`/images: val and test, with a history and a card."""
    run, root = RunDir(folder / "run"), folder / "images"
    point = OperatingPoint(0.4, "youden", "val") if len(classes) == 2 else None
    decision = Decision(point, Calibration(1.2, tuple(0.1 * k for k in range(len(classes)))))
    parts = [simulated(classes, n, split=split, seed=seed + at) for at, split in enumerate(("val", "test"))]
    reports = {part.split: evaluate_split(part, decision, n_boot=40) for part in parts}
    record = {
        "kind": "medxray-run",
        "type": kind,
        "state": "completed",
        "name": "run",
        "command": ["medxray", "train", "--data", "my images"],
        "created": "2026-01-02T03:04:05+00:00",
        "config": {"arch": "shallow-cnn", "mode": "scratch", "seed": 0},
        "environment": {"python": "3.11", "packages": {"medxray": "0.2.0", "keras": "3.15"}, "cpus": 2},
        "seconds": {"data": 1.5},
        "decision": decision.to_dict(),
        "data": {
            "root": str(root),
            "source": str(root),
            "classes": list(classes),
            "positive": parts[0].positive,
            "counts": [
                {"split": part.split, "label": name, "images": int((part.y_true == k).sum()), "patients": 9}
                for part in parts
                for k, name in enumerate(classes)
            ],
            "skipped": [{"path": "broken.png", "reason": "the image data is truncated or damaged"}],
        },
    }
    storage.write_json(run.record_file, record)
    storage.write_json(run.metrics_file, {"format": 2, "splits": reports})
    write_predictions(run.predictions_file, parts, decision)
    storage.write_csv(run.history_file, HISTORY)
    storage.write_text(run.card_file, "# Model card: run\n\n**Research use only, not a medical device.** Beware.\n")
    for number, path in enumerate(parts[1].paths if images else ()):
        write_image(root / path, number)
    return run


@pytest.fixture(scope="session")
def stored_run(tmp_path_factory):
    """A run of two classes; tests must not change it."""
    return write_stored_run(tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory):
    """A run of three classes; tests must not change it."""
    return write_stored_run(tmp_path_factory.mktemp("three"), classes=("NORMAL", "BACTERIAL", "VIRAL"))
