"""Classifiers that see size, border, or what is outside the lungs alone."""

import re
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from medxray.data.lungs.field import LungField, lung_field
from medxray.data.manifest import Manifest, build_table
from medxray.data.phantom.draw import render_phantom
from medxray.explain.audit import probes
from medxray.explain.audit.probes import Features, probe_shortcuts

CLASSES = ("NORMAL", "ILL")
RUN = SimpleNamespace(classes=CLASSES)


def manifest(root, draw, *, count=24, split="test"):
    """A dataset whose images `draw(number, ill)` makes, each of another patient."""
    rows = []
    for number in range(count):
        ill = number % 2
        cv2.imwrite(str(root / f"{split}{number}.png"), draw(number, ill))
        rows.append((f"{split}{number}.png", CLASSES[ill], "", f"{split}-{number}", split))
    table = build_table(rows)
    return Manifest(table=table, root=root, task="folders", classes=CLASSES, positive="ILL", grouped=True)


def noise(number, shape):
    return np.random.default_rng(number).integers(0, 60, shape).astype(np.uint8)


def by_size(number, ill):
    return noise(number, (40 + number % 3, 60 if ill else 40))


def by_border(number, ill):
    image = noise(number, (50, 50))
    image[:5] += 150 * ill
    return image


def by_centre(number, ill):
    image = noise(number, (50, 50))
    image[20:30, 20:30] += 150 * ill
    return image


@pytest.fixture(scope="module")
def chest():
    """A healthy phantom, uint8 (160,160)."""
    return cv2.resize(render_phantom("normal", size=160, patient_seed=1, image_seed=1)[0], (160, 160))


def probe(part, **options):
    return probe_shortcuts(RUN, part, "test", is_own=False, seed=0, **options)


def test_image_size_that_gives_the_class_away_is_found(tmp_path):
    found = probe(manifest(tmp_path, by_size))
    assert found["size"]["auroc"]["value"] > 0.95 and found["size"]["balanced_accuracy"]["value"] > 0.9
    assert found["size"]["n"] == 24 and found["size"]["note"] == "" and found["judged"] == "cross-validated by patient"


def test_a_border_that_gives_the_class_away_is_found_and_a_centre_is_not_seen(tmp_path):
    found = probe(manifest(tmp_path, by_border))
    assert found["border_pixels"]["auroc"]["value"] > 0.95 and found["border_pixels"]["auroc"]["ci95"]
    assert found["size"]["auroc"]["value"] is None and found["size"]["note"] == "all images have one size"
    assert probe(manifest(tmp_path, by_centre))["border_pixels"]["auroc"]["value"] < 0.9


def test_what_is_outside_the_lungs_gives_the_class_away(tmp_path, chest):
    def draw(number, ill):
        image = np.clip(chest + noise(number, chest.shape) / 4.0, 0, 255).astype(np.uint8)
        image[140:, 50:110] = 240 if ill else 100
        return image

    found = probe(manifest(tmp_path, draw))["lungs_masked"]
    assert found["auroc"]["value"] > 0.95 and found["n"] == 24 and found["note"] == ""


def test_what_is_in_the_lungs_is_not_seen_where_they_are_masked(chest, monkeypatch):
    field = lung_field(chest)
    other = np.where(field.mask, 200, chest).astype(np.uint8)
    monkeypatch.setattr(probes, "lung_field", lambda image: field)
    assert np.array_equal(probes._without_lungs(chest), probes._without_lungs(other))
    assert probes._without_lungs(chest).shape == (1600,) and np.ptp(probes._without_lungs(chest)) > 0.2


def test_where_no_lungs_are_found_nothing_is_told_of_what_is_outside(tmp_path, monkeypatch):
    monkeypatch.setattr(probes, "lung_field", lambda image: LungField(None, "hidden"))
    found = probe(manifest(tmp_path, by_border))["lungs_masked"]
    assert found["note"] == "no lungs were found" and found["n"] == 0 and found["auroc"]["value"] is None


def test_of_own_data_the_classifiers_are_fitted_on_training_images(tmp_path, monkeypatch):
    training, test = (manifest(tmp_path, by_size, split=split) for split in ("train", "test"))
    monkeypatch.setattr(probes, "own_manifest", lambda run, split, root: training)
    found = probe_shortcuts(RUN, test, "test", is_own=True, seed=0, images=20)
    assert found["judged"] == "fitted on 20 training images" and found["size"]["n"] == 20
    assert re.search(r"found, \d+ of 20 training images and \d+ of 20 judged images", found["lungs"])
    assert found["size"]["auroc"]["value"] > 0.95
    own = probe_shortcuts(RUN, training, "train", is_own=True, seed=0)
    assert own["judged"] == "cross-validated by patient"


def test_files_that_cannot_be_read_are_named(tmp_path, caplog):
    part = manifest(tmp_path, by_size)
    (tmp_path / "test3.png").write_bytes(b"no image")
    found = probe(part)
    assert [name.rsplit("/")[-1] for name in found["left_out"]] == ["test3.png"] and found["size"]["n"] == 23
    assert "1 of 24 files are left out." in caplog.text


def test_what_cannot_be_told_has_a_reason(tmp_path):
    part = manifest(tmp_path, by_size)
    alone = probe(part.where(part.labels() == 0))
    assert alone["size"]["note"] == alone["border_pixels"]["note"] == "there is one class only"
    few = probe(part.where(np.arange(24) < 3))
    assert few["size"]["note"] == "a class has fewer than 2 patients"
    assert few["size"]["auroc"] == {"value": None, "ci95": None}


@pytest.mark.parametrize("name", [probes.SIZE, probes.BORDER_PIXELS])
def test_features_are_in_the_order_of_the_labels(tmp_path, name):
    part = manifest(tmp_path, by_size if name == probes.SIZE else by_border)
    found = Features(part, images=10, seed=0)
    values = found.of_probe[name]
    assert len(found) == len(values) == 10
    cue = values[:, 0] > 50 if name == probes.SIZE else values[:, :40].mean(axis=1) > 0.4
    assert cue.tolist() == (found.labels == 1).tolist()
