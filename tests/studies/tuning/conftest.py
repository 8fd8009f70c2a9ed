"""Searches whose trials train nothing."""

import pytest

pytest.importorskip("optuna", reason="Optuna is not installed here")

from medxray.studies.tuning.search import begin_search, run_search  # noqa: E402
from medxray.studies.tuning.space import search_space  # noqa: E402
from medxray.training.config import TrainConfig  # noqa: E402


def no_split(config, file):
    """Write a split that nobody reads."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("path,label,subtype,patient_id,split\n")


@pytest.fixture
def begin(tmp_path):
    """Function (search, trials, objective, judge_on, pruning, **options) -> TuningDir of a search named `it`."""

    def begun(search="dropout=0:0.5,l2", *, trials=4, objective="auroc", judge_on="clean", pruning=True, **options):
        config = TrainConfig(**{"name": "it", "runs_dir": str(tmp_path), "data": str(tmp_path / "data")} | options)
        facts = {"objective": objective, "judge_on": judge_on, "trials": trials, "pruning": pruning}
        return begin_search(config, search_space([search], config), split=no_split, **facts)

    return begun


def worth(values, folder, report):
    """A trial that trains nothing: the nearer dropout is to 0.3, the better."""
    value = 1 - abs(values["dropout"] - 0.3)
    return {"value": value, "ci95": [value - 0.1, value + 0.1], "n": 20, "n_patients": 10}


@pytest.fixture
def run():
    """Function (TuningDir, trial=worth, seed=0) -> Outcome."""
    return lambda directory, trial=worth, seed=0: run_search(directory, lambda record: trial, seed=seed)
