"""The table of shifted views as a picture."""

import numpy as np
import pytest

from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.report import evaluate_split
from medxray.metrics.shifts import evaluate_shifts
from medxray.plots.shifts import ShiftsDisplay, draw_shifts


@pytest.fixture
def report(simulate):
    predictions = simulate(100)
    rng = np.random.default_rng(0)
    logits = {
        (name, k): predictions.logits + rng.normal(scale=k, size=(100, 2)) for name in ("crop", "blur") for k in (1, 2)
    }
    groups = {"crop": "framing", "blur": "sharpness"}
    decision = Decision(DEFAULT_POINT)
    shifts = evaluate_shifts(predictions, decision, logits, groups=groups, n_boot=50)
    return evaluate_split(predictions, decision, n_boot=50) | {"shifts": shifts}


def test_rows_are_the_unchanged_images_and_each_family(report):
    display = ShiftsDisplay.from_report(report)
    values = display.values("auroc")
    families, clean = report["shifts"]["families"], report["shifts"]["clean"]["auroc"]
    assert values.tolist() == [
        [clean, clean],
        *([families[name][severity]["auroc"] for severity in ("1", "2")] for name in ("crop", "blur")),
    ]
    shown = [text.get_text() for text in display.plot().axes[0].texts]
    assert shown == [f"{value:.3f}" for value in values.ravel()]


def test_what_is_undefined_is_a_dash(report):
    report["shifts"]["families"]["crop"]["2"]["auroc"] = None
    shown = [text.get_text() for text in ShiftsDisplay.from_report(report).plot().axes[0].texts]
    assert shown.count("–") == 1


def test_the_file_is_named_after_the_split(report, tmp_path):
    path = draw_shifts(report | {"split": "test"}, tmp_path)
    assert path == tmp_path / "test_shifts.png" and path.read_bytes().startswith(b"\x89PNG")
