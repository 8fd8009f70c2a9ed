"""Which classes belong to which kind of run."""

import pytest

from medxray import AnomalyConfig, TrainConfig
from medxray.errors import RunError
from medxray.run_kinds import KINDS, kind_of


def test_records_of_earlier_versions_are_those_of_classifiers():
    assert kind_of({}) is kind_of({"type": "classifier"}) is KINDS["classifier"]


def test_each_kind_names_its_configuration_and_classes_that_exist():
    assert {name: kind.config for name, kind in KINDS.items()} == {"classifier": TrainConfig, "anomaly": AnomalyConfig}
    for name, kind in KINDS.items():
        assert kind.config.TYPE == name and hasattr(kind.experiment, "go") and hasattr(kind.trained, "predict")


@pytest.mark.parametrize("name", ["segmenter", "", None, 3, ["anomaly"], {"a": 1}])
def test_a_foreign_type_is_an_error_that_names_it(name):
    with pytest.raises(RunError, match="A run must be one of classifier, anomaly. Received"):
        kind_of({"type": name})
