"""Clusters of a dataset as counts and pictures."""

import numpy as np
import pytest

from medxray.data.manifest import Manifest, build_table
from medxray.embeddings.kinds import SHOWN, Kinds, feature_network, image_kinds


def kinds_of(tmp_path, numbers, labels):
    rows = [(f"{number}.png", label, "", "", "") for number, label in enumerate(labels)]
    manifest = Manifest(build_table(rows), tmp_path, "pneumonia", ("NORMAL", "PNEUMONIA"), "PNEUMONIA", False)
    numbers = np.asarray(numbers)
    nearest = [np.flatnonzero(numbers == kind)[:SHOWN] for kind in range(numbers.max() + 1)]
    return Kinds(manifest, numbers, nearest, np.zeros((len(labels), 16, 16, 1), np.uint8))


def test_a_kind_of_one_class_is_warned_of(tmp_path):
    kinds = kinds_of(tmp_path, [0, 0, 0, 1, 1], ["NORMAL", "PNEUMONIA", "NORMAL", "PNEUMONIA", "PNEUMONIA"])
    assert kinds.counts() == [{"NORMAL": 2, "PNEUMONIA": 1}, {"NORMAL": 0, "PNEUMONIA": 2}]
    (text,) = kinds.warnings()
    assert text.startswith("Kind 1 has images of PNEUMONIA only (2)")


def test_the_picture_is_written_for_kinds_of_few_images(tmp_path):
    path = kinds_of(tmp_path, [0, 0, 1], ["NORMAL", "PNEUMONIA", "NORMAL"]).draw(tmp_path / "kinds.png")
    assert path.read_bytes().startswith(b"\x89PNG")


def test_dark_and_bright_images_are_two_kinds_and_unreadable_ones_are_named(tmp_path, caplog):
    import cv2

    for number in range(12):
        grey = np.full((40, 40), 20 if number < 5 else 220, np.uint8) + np.random.default_rng(number).integers(
            20, size=(40, 40), dtype=np.uint8
        )
        cv2.imwrite(str(tmp_path / f"{number}.png"), grey)
    (tmp_path / "12.png").write_bytes(b"no image")
    rows = [(f"{number}.png", "NORMAL" if number % 2 else "PNEUMONIA", "", "", "") for number in range(13)]
    manifest = Manifest(build_table(rows), tmp_path, "pneumonia", ("NORMAL", "PNEUMONIA"), "PNEUMONIA", False)
    kinds = image_kinds(manifest, feature_network("shallow-cnn", "none"), clusters=2)
    assert kinds.numbers.tolist() == [1] * 5 + [0] * 7 and len(kinds.manifest) == 12
    assert "12.png" in caplog.text
    assert [len(rows) for rows in kinds.nearest] == [7, 5]
    assert set(kinds.nearest[1]) == set(range(5))


def test_the_command_prints_counts_and_writes_the_picture(medxray, phantoms, tmp_path):
    words = ["--clusters", "2", "--arch", "shallow-cnn", "--weights", "none", "--out", tmp_path / "kinds.png"]
    status, out, _ = medxray("data", "inspect", phantoms, *words)
    assert status == 0 and (tmp_path / "kinds.png").exists()
    assert "kind  NORMAL  PNEUMONIA" in out and f"Pictures       {tmp_path / 'kinds.png'}" in out


def test_wrong_weights_are_told_before_an_image_is_decoded(medxray, phantoms, tmp_path, monkeypatch):
    from medxray.data import pipeline

    monkeypatch.setattr(pipeline, "decode_files", lambda *args, **settings: pytest.fail("images were decoded"))
    (tmp_path / "notes.h5").write_text("no weights")
    for name, message in (("none.h5", "There is no file"), ("notes.h5", "is damaged, or no file")):
        words = ["--clusters", "2", "--arch", "shallow-cnn", "--weights", tmp_path / name]
        status, _, err = medxray("data", "inspect", phantoms, *words)
        assert status == 1 and message in err
