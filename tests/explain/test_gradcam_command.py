import copy

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from medxray.cli.explain import gradcam
from medxray.errors import RunError
from medxray.explain.explainer import ExplainRequest
from medxray.explain.folder import raw_arrays, write_heatmaps


def call(run, *arguments):
    return CliRunner().invoke(gradcam, ["--model", str(run.path), *map(str, arguments)])


def test_pictures_and_numbers_are_written_and_named(binary_run, image_files, tmp_path):
    files = image_files(binary_run)[:2]
    result = call(binary_run, *files, "--out", tmp_path / "out", "--raw")
    assert result.exit_code == 0, result.output
    stems = [tmp_path / "out" / f"{file.stem}-PNEUMONIA" for file in files]
    written = [f"{stem}{suffix}" for stem in stems for suffix in (".png", ".npz")]
    assert result.stdout.splitlines() == written
    assert sorted(map(str, (tmp_path / "out").iterdir())) == sorted(written)
    assert cv2.imread(written[0]).shape[2] == 3


def test_npz_holds_the_numbers_without_pickled_objects(binary_run, image_files, tmp_path):
    file = image_files(binary_run)[0]
    assert call(binary_run, file, "--out", tmp_path, "--raw", "--class", "NORMAL").exit_code == 0
    (heatmap,), _ = binary_run.explain([file], target="NORMAL")
    with np.load(tmp_path / f"{file.stem}-NORMAL.npz", allow_pickle=False) as stored:
        assert set(stored) == set(raw_arrays(heatmap))
        # Two passes of a graph on several threads differ in the last digits.
        np.testing.assert_allclose(stored["heatmap"], heatmap.heatmap, atol=1e-5)
        np.testing.assert_allclose(stored["heatmap_layer"], heatmap.heatmap_layer, atol=1e-5)
        np.testing.assert_array_equal(stored["image"], heatmap.image)
        assert tuple(stored["box"]) == heatmap.box
        assert (str(stored["class_name"]), str(stored["layer"])) == ("NORMAL", "block3_relu")
        assert stored["probability"] == pytest.approx(heatmap.probability, abs=1e-6)
        assert stored["heatmap"].dtype == np.float32 and stored["image"].dtype == np.uint8


def test_bad_files_are_listed_with_reasons_and_the_status_is_1(binary_run, image_files, tmp_path):
    bad = tmp_path / "text.png"
    bad.write_text("no image")
    result = call(binary_run, bad, image_files(binary_run)[0], "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    told = [line for line in result.stderr.splitlines() if "has no input gate" not in line]
    assert len(told) == 1 and told[0].startswith(f"Error: {bad}: ")


def test_images_of_the_same_name_do_not_overwrite_each_other(binary_run, image_files, tmp_path):
    source = image_files(binary_run)[0].read_bytes()
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "x.jpeg").write_bytes(source)
    result = call(binary_run, tmp_path / "one", tmp_path / "t*o" / "*.jpeg", "--out", tmp_path / "out")
    assert [line.rpartition("/")[2] for line in result.stdout.splitlines()] == ["x-PNEUMONIA.png", "x-PNEUMONIA-2.png"]


def test_class_names_cannot_leave_the_folder(binary_run, image_files, tmp_path):
    run = copy.copy(binary_run)
    run.classes = ("NORMAL", "../up")
    written = write_heatmaps(run, image_files(run)[:1], tmp_path / "out", ExplainRequest())
    assert [file.parent for file in written.files] == [tmp_path / "out"]


def test_layer_list_shows_every_layer_and_marks_the_default(binary_run):
    result = call(binary_run, "--layer", "list")
    assert result.exit_code == 0
    assert "block1_pool  32 x 32" in result.stdout.splitlines()
    assert [line for line in result.stdout.splitlines() if "default" in line] == ["block3_relu  16 x 16  (default)"]


def test_no_image_is_a_usage_error(binary_run):
    result = call(binary_run)
    assert result.exit_code == 2 and "Name at least one image" in result.stderr


def test_missing_run_says_what_to_do(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(gradcam, ["x.png"])
    assert isinstance(result.exception, RunError)
    assert "medxray train" in str(result.exception)
