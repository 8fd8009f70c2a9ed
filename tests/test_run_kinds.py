"""The kinds of runs as objects."""

from pathlib import Path

import pytest

from medxray import AnomalyConfig, EnsembleConfig, TrainConfig
from medxray.errors import RunError
from medxray.evaluation.model_card import KindCard
from medxray.export.serving import Serving
from medxray.run_kinds import KINDS, kind_of
from medxray.trained_run import Run
from medxray.training.config import RunConfig

ROOT = Path(__file__).resolve().parent.parent


def test_records_of_earlier_versions_are_those_of_classifiers():
    assert kind_of({}) is kind_of({"type": "classifier"}) is KINDS["classifier"]


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_is_one_object_with_all_that_is_asked_of_it(name):
    kind = KINDS[name]
    assert kind.name == kind.config.TYPE == name
    assert issubclass(kind.config, RunConfig) and issubclass(kind.trained, Run) and issubclass(kind.serving, Serving)
    assert callable(kind.experiment) and callable(kind.parity) and isinstance(kind.card, KindCard)


def test_each_kind_has_the_configuration_that_the_package_offers():
    offered = {"classifier": TrainConfig, "anomaly": AnomalyConfig, "ensemble": EnsembleConfig}
    assert {name: kind.config for name, kind in KINDS.items()} == offered


def test_no_module_asks_a_run_or_a_record_what_kind_it_is():
    files = [path for path in (ROOT / "medxray").rglob("*.py") if path.name != "run_kinds.py"]
    assert len(files) > 100
    for path in files:
        text = path.read_text(encoding="utf-8")
        assert "isinstance(run" not in text and 'get("type")' not in text and '["type"]' not in text, path


@pytest.mark.parametrize("name", ["segmenter", "", None, 3, ["anomaly"], {"a": 1}])
def test_a_foreign_type_is_an_error_that_names_it(name):
    with pytest.raises(RunError, match="A run must be one of classifier, anomaly, ensemble. Received"):
        kind_of({"type": name})
