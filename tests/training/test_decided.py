"""Which validation images shifted views are computed of: all where they decide, a sample where they are compared."""

from types import SimpleNamespace

import numpy as np
import pytest

from medxray.training import classifier


class Pictures:
    def __init__(self, count):
        self.count = count

    def where(self, rows):
        return Pictures(len(rows))


def decided(monkeypatch, decide_on, rows):
    monkeypatch.setattr(classifier, "rows_to_compare", lambda validation: np.array(rows, int))
    monkeypatch.setattr(classifier, "logits_of_draws", lambda forward, pictures, batch: {"blur": pictures.count})
    trainer = SimpleNamespace(
        config=SimpleNamespace(threshold_rule="youden", decide_on=decide_on), _forward=lambda model, features: None
    )
    fitted = SimpleNamespace(model=None, features=None, validation=None)
    return classifier.ClassifierTrainer._decided(trainer, fitted, Pictures(90))


@pytest.mark.parametrize(
    ("decide_on", "rows", "images", "compared"),
    [("shifted", [0, 1], 90, None), ("clean", [0, 4, 5], 3, [0, 4, 5]), ("clean", [], None, None)],
)
def test_all_images_decide_and_a_sample_is_compared(monkeypatch, decide_on, rows, images, compared):
    found = decided(monkeypatch, decide_on, rows)
    assert found["decide_on"] == decide_on and found.get("shifted", {}).get("blur") == images
    assert (found["rows"].tolist() if "rows" in found else None) == compared
