"""What every row of the table of anomaly methods does, and that a new method is one row and one file."""

import subprocess
import sys

import numpy as np
import pytest

from medxray import AnomalyConfig, load_run, train
from medxray.anomaly.config import DetectorOptions
from medxray.anomaly.methods import METHODS
from medxray.training.options import options_of
from tests.contracts.mean_patch import ROW
from tests.fixtures.bare_runs import leave_out_most

TINY = {"arch": "shallow-cnn", "weights": "none", "epochs": 1, "batch_size": 8, "bottleneck": 4, "dimensions": 8}
rows = pytest.mark.parametrize("row", METHODS.values(), ids=lambda row: row.name)


@pytest.fixture(scope="session")
def files(phantoms):
    """Three phantoms."""
    return sorted(phantoms.rglob("*.jpeg"))[::20][:3]


@pytest.fixture
def dummy(medxray, monkeypatch):
    """The method of mean_patch.py, registered after the command line was made (by the fixture `medxray`)."""
    monkeypatch.setitem(METHODS, ROW.name, ROW)
    return ROW


def small(row, data, folder):
    """A tiny AnomalyConfig of a method."""
    given = {name: value for name, value in TINY.items() if name in row.options}
    if "cache_dir" in row.options:
        given["cache_dir"] = str(folder / "cache")
    places = {"runs_dir": str(folder / "runs"), "saved_models_dir": str(folder / "saved_models")}
    return AnomalyConfig(method=row.name, data=str(data), image_size=32, export=False, name="it", **places, **given)


@pytest.fixture(scope="module", params=METHODS.values(), ids=lambda row: row.name)
def trained(request, phantoms, tmp_path_factory):
    """The row of each method, and a bare run of it."""
    with pytest.MonkeyPatch.context() as patch:
        leave_out_most(patch)
        return request.param, train(small(request.param, phantoms, tmp_path_factory.mktemp("run")))


def test_every_method_trains_maps_and_loads_again_with_the_same_maps(trained, files):
    row, run = trained
    found, failures = run.maps(files)
    assert run.method == row.name and not failures and len(found) == len(files)
    for item in found:
        assert item.anomaly_map.ndim == 2 and item.anomaly_map.min() >= 0 and np.isfinite(item.score)
    again, _ = load_run(run.path).maps(files)
    for one, same in zip(found, again, strict=True):
        np.testing.assert_allclose(one.anomaly_map, same.anomaly_map, rtol=1e-4, atol=1e-5)
    assert row.title in (run.path / "model_card.md").read_text()


def test_every_method_takes_some_images_at_a_time(trained):
    row, run = trained
    assert 1 <= row.images_at_once(run.model, 64) <= 64 and 1 <= row.images_at_once(run.model, 1) <= 1


def test_maps_computed_in_another_way_are_the_same(trained, files):
    row, run = trained
    found, _ = run.maps(files)
    reference = run.reference_maps(np.stack([item.pixels for item in found]).astype(np.float32))
    if row.name == "patchcore":
        for one, other in zip(found, reference, strict=True):
            np.testing.assert_allclose(one.anomaly_map**2, other**2, rtol=1e-3, atol=1e-3)
    else:
        assert reference is None


@rows
def test_every_option_of_a_row_is_one_of_the_configuration(row):
    assert set(row.options) <= set(options_of(AnomalyConfig))
    assert set(row.card_options) <= set(row.options)
    scores = options_of(AnomalyConfig)["image_score"].choices
    assert set(row.raw_scores) == (set(scores) if "image_score" in row.options else {None})
    assert AnomalyConfig(method=row.name).resolved().image_size == row.options["image_size"]


def test_every_option_of_detectors_alone_belongs_to_a_method():
    named = {name for row in METHODS.values() for name in row.options}
    assert set(options_of(DetectorOptions)) - named == {"method", "normal"}


@pytest.mark.slow
def test_a_new_method_trains_maps_and_exports_through_the_command_line(
    dummy, medxray, phantoms, files, tmp_path, without_plots
):
    places = ["--runs-dir", tmp_path / "runs", "--saved-models-dir", tmp_path / "models", "--cache-dir", tmp_path / "c"]
    words = ["--method", dummy.name, "--data", phantoms, "--image-size", 32, "--arch", "shallow-cnn"]
    status, out, err = medxray("anomaly", "train", *words, "--weights", "none", "--name", "new", *places)
    assert status == 0 and "AUROC" in out.upper() and (tmp_path / "models" / "new" / "1" / "saved_model.pb").exists(), (
        err
    )
    run = tmp_path / "runs" / "new"
    assert dummy.title in (run / "model_card.md").read_text()
    status, out, err = medxray("anomaly", "map", files[0], "--model", run, "--out", tmp_path / "maps")
    assert status == 0 and out.splitlines() == [str(tmp_path / "maps" / f"{files[0].stem}-anomaly.png")], err


def test_an_option_that_a_new_method_lacks_is_refused(dummy, medxray):
    status, _, err = medxray("anomaly", "train", "--method", dummy.name, "--coreset", 0.5)
    assert status == 2 and f"--coreset is no option of --method {dummy.name}. Leave it out" in err


def test_the_table_is_read_without_tensorflow():
    code = "import sys; from medxray.anomaly.methods import METHODS; assert METHODS; assert 'keras' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
