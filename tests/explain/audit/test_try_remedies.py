"""The script that tries remedies against borders: what it changes, and its table of a tiny trial."""

import dataclasses
import importlib.util
import re
from argparse import Namespace
from pathlib import Path

import cv2
import numpy as np
import pytest

from medxray.data.lungs.field import LungField
from medxray.data.shifts import families
from medxray.metrics.clustered import clustered_auroc, mean_auroc
from medxray.metrics.paired import auroc_difference
from medxray.predict.input_form import InputForm
from tests.explain.audit.test_probes import manifest
from tests.fixtures.small_runs import write_phantom_run

SCRIPTS = Path(__file__).resolve().parents[3] / "scripts"


@pytest.fixture
def script(monkeypatch):
    """Function name -> a script as a module."""
    monkeypatch.syspath_prepend(SCRIPTS)

    def load(name):
        spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def lungs(monkeypatch):
    """Lungs are what is darker than 50; where nothing is, they are not found."""

    def field(image):
        dark = image[..., 0] < 50
        return LungField(dark, "") if dark.any() else LungField(None, "hidden")

    monkeypatch.setattr("medxray.data.lungs.field.lung_field", field)


def picture():
    """A 20 x 10 image of 100 whose rows 8 to 11 and columns 4 to 5 are dark."""
    image = np.full((20, 10, 1), 100, np.uint8)
    image[8:12, 4:6] = 10
    return image


def test_a_mask_blacks_the_outer_tenth_on_each_side(script):
    image, reason = script("remedies").changed(picture(), "mask-border")
    assert reason == "" and image.shape == (20, 10, 1)
    assert (image[2:18, 1:9] == picture()[2:18, 1:9]).all() and image.sum() == image[2:18, 1:9].sum()


def test_a_crop_is_the_box_of_the_lungs_with_a_margin_and_what_has_none_stays_whole(script, lungs):
    changed = script("remedies").changed
    image, reason = changed(picture(), "lung-crop")
    assert reason == "" and np.array_equal(image, picture()[7:13, 4:6])  # a twentieth: one row, no column
    bright = np.full((20, 10, 1), 100, np.uint8)
    image, reason = changed(bright, "lung-crop")
    assert reason == "hidden" and np.array_equal(image, bright)
    assert np.array_equal(changed(picture(), "nothing")[0], picture())


def test_inputs_keep_their_bars_and_a_crop_gets_new_ones(script, lungs):
    """A 20 x 10 image stands in the middle of 20 x 20; of its crop, 6 x 2, the box is 20 x 7."""
    remedies, pixels = script("remedies"), np.zeros((1, 20, 20, 1), np.float32)
    pixels[0, :, 5:15] = picture()
    pixels[0, 0, 5] = 300  # views are cut off at 255
    form, boxes = InputForm((20, 20), 1, "letterbox"), [(0, 5, 20, 10)]
    masked, places = remedies.as_inputs(pixels, boxes, "mask-border", form)
    assert places == boxes and masked.dtype == np.uint8
    assert masked[0, 2:18, 6:14].sum() == masked.sum() == picture()[2:18, 1:9].sum()
    plain, places = remedies.as_inputs(pixels, boxes, "nothing", form)
    assert places == boxes and plain[0, 0, 5, 0] == 255 and plain[0, 10, 9, 0] == 10
    cropped, ((top, left, height, width),) = remedies.as_inputs(pixels, boxes, "lung-crop", form)
    assert (top, height) == (0, 20) and width in (6, 7) and left + width < 20
    assert cropped[0, 0, left, 0] == 100 and cropped[0, 10, left, 0] == 10 and cropped[0, :, :left].sum() == 0
    assert pixels[0, 0, 5, 0] == 300  # what is given stays as it is


def test_the_difference_of_aurocs_is_that_of_the_paired_test(script):
    random = np.random.default_rng(0)
    truth, patients = np.arange(40) % 2 == 1, (np.arange(40) // 2 % 15).astype(str)
    scores = [random.normal(size=40) + truth for _ in range(2)]
    parts = [mean_auroc([clustered_auroc(truth, score, patients)]) for score in scores]
    value, interval = script("remedies").auroc_difference(*parts)
    expected = auroc_difference(truth, scores, patients)
    assert value == pytest.approx(expected["difference"]) and interval == pytest.approx(expected["ci95"])


@pytest.mark.parametrize("before", [False, True])
def test_copies_are_changed_images_of_training_and_validation_and_test_images_are_not_read(
    script, lungs, tmp_path, before
):
    (tmp_path / "data").mkdir()
    part = manifest(tmp_path / "data", lambda number, ill: picture()[..., 0] + number, count=6)
    split = ["train", "train", "val", "val", "test", "test"]
    part = dataclasses.replace(part, table=part.table.assign(split=split))
    names = list(part.table["path"])
    (tmp_path / "data" / names[0]).write_bytes(b"no image")
    (tmp_path / "data" / names[4]).write_bytes(b"nor this")
    form = InputForm((20, 20), 1, "letterbox")
    try_remedies = script("try_remedies")
    kept, whole = try_remedies.write_copies(part, form, tmp_path / "out", try_remedies.REMEDIES, before=before)
    assert list(kept.table["path"]) == names[1:]
    assert whole == {"nothing": "0 of 3", "mask-border": "0 of 3", "lung-crop": "0 of 3"}
    sizes = {remedy: cv2.imread(str(tmp_path / "out" / remedy / "1.png"), 0).shape for remedy in whole}
    assert sizes == {"nothing": (20, 10), "mask-border": (20, 10), "lung-crop": (6, 2)}
    masked = {row: cv2.imread(str(tmp_path / "out" / "mask-border" / f"{row}.png"), 0)[0].max() for row in (1, 2)}
    assert (masked[1] == 0) == before and masked[2] == 0  # of training and validation
    assert (tmp_path / "out" / "lung-crop" / "4.png").read_bytes() == b"nor this"
    lines = (tmp_path / "out" / "lung-crop" / "split.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in lines[1:]] == [f"{row}.png" for row in range(1, 6)]


COLUMNS = 10
FIGURE = r"[+-]?[0-9.]+( \[[+-]?[0-9.]+, [+-]?[0-9.]+\])?"


@pytest.fixture
def phantom_run(phantoms, tmp_path):
    """An untrained run whose validation images are phantoms."""
    run = write_phantom_run(tmp_path / "run", phantoms / "chest_xray" / "train", size=64)
    lines = run.split_file.read_text().replace(",test\n", ",val\n")
    run.split_file.write_text(lines)
    return run


@pytest.mark.slow
def test_a_run_that_knows_unchanged_images_is_asked_without_training(script, phantom_run, monkeypatch, capsys):
    monkeypatch.setattr(families, "FAMILIES", dict(list(families.FAMILIES.items())[:2]))  # all of them take long
    monkeypatch.setattr("sys.argv", ["try_remedies.py", "--run", str(phantom_run.path), "--images", "4"])
    script("try_remedies").main()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("|")[1].strip() for line in lines[2:5]] == ["nothing", "mask-border", "lung-crop"]
    assert all(line.count("|") == COLUMNS for line in lines[:1] + lines[2:5])
    assert re.fullmatch(rf"\| mask-border \|( {FIGURE} \|){{5}}.*", lines[3])
    asked = r"^\d+ validation images of \d+ patients, 2 shifted views .* not trained again"
    assert re.search(asked, lines[6])


@pytest.mark.slow
def test_three_short_trainings_give_the_table(script, phantoms, tmp_path):
    args = Namespace(
        data=str(phantoms), arch="shallow-cnn", weights="none", mode="scratch", image_size=32, epochs=1, limit=None
    )
    args.images, args.seed, args.before = 8, 0, False
    try_remedies = script("try_remedies")
    args.only = try_remedies.REMEDIES[1:]
    results, whole = try_remedies.by_training(args, tmp_path)
    assert list(results) == list(whole) == ["nothing", "mask-border", "lung-crop"]
    truths = [found["truth"].tolist() for found in results.values()]
    assert truths[0] == truths[1] == truths[2]
    masked = results["mask-border"]
    assert masked["moved"]["value"] == 0  # what the model does not see cannot move it
    assert len(try_remedies.table(results, whole, 0)) == 5


def test_the_border_is_black_after_augmentation_and_only_there(script):
    from medxray.data.augment import PARAMETERS, Augment

    images, still = np.full((2, 20, 30, 1), 200, np.float32), np.zeros((2, PARAMETERS), np.float32)
    with script("try_remedies").blacked_after_augmentation():
        seen = Augment()(images, still, training=False).numpy()
    assert not seen[:, :2].any() and not seen[:, :, -3:].any() and (seen[:, 2:-2, 3:-3] == 200).all()
    assert (Augment()(images, still, training=False) == images).numpy().all()


def test_three_classes_are_refused_in_one_line(script, subtype_run, monkeypatch):
    monkeypatch.setattr("sys.argv", ["try_remedies.py", "--run", str(subtype_run.path)])
    with pytest.raises(SystemExit, match="Two classes are needed|Error: ") as ended:
        script("try_remedies").main()
    assert len(str(ended.value.code).splitlines()) == 1
