"""A detector on the split of a classifier with three classes."""

import pandas as pd
import pytest

from medxray import load_run
from tests.fixtures.bare_runs import leave_out_most

pytestmark = pytest.mark.slow  # each trains several models


@pytest.fixture(scope="module")
def three(phantoms, tmp_path_factory):
    """A classifier of NORMAL, BACTERIAL and VIRAL."""
    from medxray import TrainConfig, train

    folder = tmp_path_factory.mktemp("three")
    places = {name: str(folder / name) for name in ("runs_dir", "saved_models_dir", "cache_dir")}
    config = TrainConfig(
        arch="shallow-cnn",
        mode="scratch",
        data=str(phantoms),
        task="pneumonia-subtype",
        image_size=32,
        epochs=1,
        export=False,
        **places,
    )
    with pytest.MonkeyPatch.context() as patch:
        leave_out_most(patch)
        return train(config)


def table_of(run, name="split.csv"):
    return pd.read_csv(run.path / name, keep_default_na=False)


@pytest.mark.parametrize("method", ["padim", "patchcore"])
def test_backbone_and_split_of_three_classes_give_a_detector_on_the_same_test_patients(
    medxray, three, phantoms, tmp_path, monkeypatch, bare, method
):
    monkeypatch.chdir(tmp_path)
    given = ["--backbone", three.path, "--split-file", three.path / "split.csv", "--data", phantoms]
    status, _, err = medxray("anomaly", "train", "--method", method, *given, "--no-export", "--name", "d")
    assert status == 0, err
    run = load_run(tmp_path / "runs" / "d")
    ours, theirs = table_of(run), table_of(three)
    assert set(theirs["label"]) == {"NORMAL", "BACTERIAL", "VIRAL"} and run.classes == ("NORMAL", "PNEUMONIA")
    same = ["path", "subtype", "patient_id", "split"]
    pd.testing.assert_frame_equal(ours[same], theirs[same])
    assert ((ours["label"] == "NORMAL") == (theirs["label"] == "NORMAL")).all()
    found = table_of(run, "predictions.csv")
    assert set(found.loc[found["split"] == "test", "patient_id"]) == set(
        theirs.loc[theirs["split"] == "test", "patient_id"]
    )
