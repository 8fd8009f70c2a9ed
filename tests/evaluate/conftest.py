"""Simulated predictions, so that every figure can be checked without images or models."""

import numpy as np
import pytest
from scipy.special import softmax

from medxray.predictions import Predictions

CLASSES = {2: ("NORMAL", "PNEUMONIA"), 3: ("NORMAL", "BACTERIAL", "VIRAL")}


@pytest.fixture
def make_predictions():
    """Build `Predictions` from true classes and logits; patients default to one per image."""

    def build(y_true, logits, *, patients=None, split="test", subtypes=None, classes=None):
        logits = np.asarray(logits, dtype=np.float64)
        classes = classes or CLASSES[logits.shape[1]]
        count = len(y_true)
        return Predictions(
            paths=tuple(f"{split}/{index:04}.png" for index in range(count)),
            patient_ids=np.array(
                [f"p{index}" for index in (range(count) if patients is None else patients)], dtype=str
            ),
            y_true=np.asarray(y_true, dtype=np.int64),
            logits=logits,
            classes=classes,
            positive=classes[-1] if len(classes) == 2 else None,
            split=split,
            subtypes=subtypes,
        )

    return build


@pytest.fixture
def simulate(make_predictions):
    """Simulate a model of some skill, calibrated at temperature 1, on patients with about two images each."""

    def build(n=300, k=2, *, seed=0, skill=1.6, temperature=1.0, split="test"):
        rng = np.random.default_rng(seed)
        y_true = np.append(np.arange(k), rng.integers(0, k, n - k))
        logits = skill * (rng.normal(size=(n, k)) + skill * np.eye(k)[y_true])
        subtypes = tuple(np.where(y_true == 1, rng.choice(["bacteria", "virus"], n), "")) if k == 2 else None
        patients = rng.integers(0, max(1, n // 2), n)
        return make_predictions(y_true, logits * temperature, patients=patients, split=split, subtypes=subtypes)

    return build


@pytest.fixture(scope="session")
def drawn_labels():
    """Function logits -> labels drawn from the probabilities that the logits state: these are then calibrated."""

    def draw(logits, seed=0):
        rng = np.random.default_rng(seed)
        cumulative = softmax(logits, axis=1).cumsum(axis=1)
        return (rng.random((len(logits), 1)) > cumulative[:, :-1]).sum(axis=1)

    return draw
