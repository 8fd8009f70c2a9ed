import hashlib
import time

import cv2
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from medxray.data.images.files import identify
from medxray.data.layouts.sources import load_manifest
from medxray.data.phantom import draw as phantom
from medxray.data.phantom.draw import KINDS, generate_phantoms, render_phantom
from medxray.errors import ConfigError, StorageError


def read(path):
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def digest(folder):
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return [(str(file.relative_to(folder)), hashlib.sha256(file.read_bytes()).hexdigest()) for file in files]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """120 patients: folder, manifest and grey pictures."""
    folder = tmp_path_factory.mktemp("many")
    generate_phantoms(folder, patients=120, size=96, seed=0)
    manifest = load_manifest(folder)
    return folder, manifest, [read(file) for file in manifest.files()]


def test_set_is_read_as_a_kermany_tree_with_patients_and_subtypes(many):
    folder, manifest, _ = many
    assert (manifest.task, manifest.grouped, manifest.skipped) == ("pneumonia", True, ())
    assert [item.path for item in manifest.ignored] == [str(folder / "masks")]
    counts = manifest.counts().set_index("label")["patients"].to_dict()
    assert counts == {"NORMAL": 48, "PNEUMONIA": 72}
    per_patient = manifest.table.groupby("patient_id").size()
    assert per_patient.min() == 1 and per_patient.max() == 4
    assert set(manifest.table["subtype"]) == {"", "bacterial", "viral"}
    assert manifest.table["path"].str.match(r"train/(NORMAL/IM-|PNEUMONIA/person)").all()


def test_every_picture_has_a_mask_that_is_empty_for_normal_ones_only(many):
    folder, manifest, pictures = many
    for file, label, picture in zip(manifest.files(), manifest.table["label"], pictures, strict=True):
        mask = read(folder / "masks" / f"{file.stem}.png")
        assert mask.shape == picture.shape
        assert set(np.unique(mask)) <= {0, 255}
        assert mask.any() == (label == "PNEUMONIA")
        assert mask.mean() / 255 < 0.3


def test_label_is_not_told_by_brightness_contrast_size_or_file_size(many):
    _, manifest, pictures = many
    labels = manifest.labels()
    for values in (
        [picture.mean() for picture in pictures],
        [picture.std() for picture in pictures],
        [np.median(picture) for picture in pictures],
        [file.stat().st_size for file in manifest.files()],
    ):
        assert 0.25 < roc_auc_score(labels, values) < 0.75
    assert 0.4 < roc_auc_score(labels, [picture.shape[0] for picture in pictures]) < 0.6


@pytest.mark.parametrize("kind", ["bacterial", "viral"])
def test_a_sick_picture_differs_from_its_healthy_twin_where_the_mask_is(kind):
    for seed in range(6):
        sick, mask = render_phantom(kind, size=128, patient_seed=seed, image_seed=seed)
        healthy, empty = render_phantom("normal", size=128, patient_seed=seed, image_seed=seed)
        change = sick.astype(float) - healthy
        assert not empty.any()
        assert change[mask > 0].mean() > 8
        far = cv2.dilate(mask, np.ones((25, 25), np.uint8)) == 0
        assert np.abs(change[far]).mean() < change[mask > 0].mean() / 4


def test_bacterial_masks_are_compact_and_viral_ones_on_both_sides():
    def sides(kind):
        masks = [render_phantom(kind, size=96, patient_seed=n, image_seed=n)[1] > 0 for n in range(30)]
        return np.mean([min(mask[:, :48].sum(), mask[:, 48:].sum()) / mask.sum() for mask in masks])

    assert sides("viral") > 0.2 > sides("bacterial")


def test_equal_seeds_give_bit_identical_files_and_others_do_not(tmp_path):
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        generate_phantoms(tmp_path / name, patients=5, size=64, seed=seed)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert not {d for _, d in digest(tmp_path / "a")[:5]} & {d for _, d in digest(tmp_path / "c")[:5]}


def test_pictures_of_a_patient_differ(many):
    _, manifest, _ = many
    digests = manifest.content_digests()
    assert len(set(digests)) == len(digests)


def test_they_say_that_they_are_synthetic(many):
    folder, manifest, _ = many
    assert all(b"medxray synthetic phantom, shows no patient" in file.read_bytes()[:80] for file in manifest.files())
    assert identify(manifest.files()[0]).format == "JPEG"
    assert "They show no patient" in (folder / "chest_xray" / "PHANTOMS.md").read_text()


def test_a_normal_sized_picture_takes_few_milliseconds():
    render_phantom("viral", size=256, patient_seed=0, image_seed=0)
    start = time.process_time()
    for seed in range(5):
        render_phantom(KINDS[seed % 3], size=256, patient_seed=seed, image_seed=seed)
    assert (time.process_time() - start) / 5 < 0.15


def test_size_is_the_width_and_heights_vary():
    shapes = [render_phantom("normal", size=100, patient_seed=0, image_seed=n)[0].shape for n in range(12)]
    assert {width for _, width in shapes} == {100}
    assert all(80 <= height <= 100 for height, _ in shapes)
    assert len(set(shapes)) > 3


def test_other_files_in_the_folder_do_no_harm_and_stay(tmp_path):
    (tmp_path / "README.md").write_text("keep me")
    generate_phantoms(tmp_path, patients=2, size=64)
    assert (tmp_path / "README.md").read_text() == "keep me"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["README.md", "chest_xray", "masks"]


def test_phantoms_are_replaced_only_on_demand_and_leave_nothing_behind(tmp_path):
    generate_phantoms(tmp_path, patients=8, size=64, seed=1)
    before = digest(tmp_path)
    with pytest.raises(StorageError, match="chest_xray is not empty. Choose another folder, or pass --overwrite"):
        generate_phantoms(tmp_path, patients=2, size=64)
    assert digest(tmp_path) == before
    generate_phantoms(tmp_path, patients=2, size=64, overwrite=True)
    assert len(set(load_manifest(tmp_path).patients())) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chest_xray", "masks"]


def test_real_images_are_never_replaced(make_tree):
    folder = make_tree("chest_xray/train/NORMAL/a.png", "chest_xray/train/PNEUMONIA/b.png")
    before = digest(folder)
    with pytest.raises(StorageError, match="holds no phantoms"):
        generate_phantoms(folder, patients=2, size=64, overwrite=True)
    assert digest(folder) == before


def test_a_full_disk_leaves_no_half_dataset(tmp_path, monkeypatch):
    written = []

    def full(image):
        written.append(image)
        if len(written) > 3:
            raise OSError(28, "No space left on device")
        return b"jpeg"

    monkeypatch.setattr(phantom, "_jpeg", full)
    with pytest.raises(StorageError, match="Could not write .*: No space left on device. Free disk space"):
        generate_phantoms(tmp_path / "set", patients=9, size=64)
    assert list((tmp_path / "set").iterdir()) == []


def test_a_file_in_the_way_is_an_error(tmp_path):
    (tmp_path / "set").write_text("a file")
    with pytest.raises(StorageError, match="set is a file. Name a folder"):
        generate_phantoms(tmp_path / "set", patients=2, size=64)
    with pytest.raises(StorageError, match="Could not write .*Not a directory"):
        generate_phantoms(tmp_path / "set" / "below", patients=2, size=64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"patients": 0}, "--patients must be 1 to 100000. Received 0"),
        ({"size": 32}, "--size must be 64 to 2048. Received 32"),
        ({"seed": -1}, "--seed must be 0 or more. Received -1"),
    ],
)
def test_impossible_arguments_are_refused(tmp_path, arguments, message):
    with pytest.raises(ConfigError, match=message):
        generate_phantoms(tmp_path, **arguments)
    with pytest.raises(ConfigError, match="Phantom kind must be one of normal, bacterial, viral. Received 'fungal'"):
        render_phantom("fungal", size=64, patient_seed=0, image_seed=0)
