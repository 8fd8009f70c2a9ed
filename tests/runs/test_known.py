"""What other data share with the training of a run, in other files."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.data.manifest import write_split_csv
from medxray.data.splits import assign_splits
from medxray.errors import DataError
from medxray.runs.known import known_images


def picture(seed):
    """A smooth grey picture that survives being made smaller, uint8 (300, 260)."""
    noise = np.random.default_rng(seed).random((12, 10), dtype=np.float32)
    return np.rint(255 * cv2.resize(noise, (260, 300), interpolation=cv2.INTER_CUBIC).clip(0, 1)).astype(np.uint8)


def write(path, pixels):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(path.suffix, pixels)[1].tobytes())


@pytest.fixture
def run(tmp_path):
    """What `known_images` needs of a run with 20 training pictures of a Kermany set."""
    for n in range(20):
        name = f"IM-{n:04d}-0001.png" if n < 10 else f"person{n}_virus_1.png"
        write(tmp_path / "own" / ("NORMAL" if n < 10 else "PNEUMONIA") / name, picture(n))
    manifest = assign_splits(load_manifest(tmp_path / "own"))
    write_split_csv(manifest, tmp_path / "split.csv")
    record = {"data": {"root": str(manifest.root)}}
    directory = SimpleNamespace(split_file=tmp_path / "split.csv", adaptation_file=tmp_path / "adaptation.csv")
    return SimpleNamespace(record=record, directory=directory, own=manifest)


def own_file(run, split):
    return run.own.subset(split).files()[0]


@pytest.fixture
def other(run, tmp_path):
    """Other data: six new pictures, copies of a training picture, and one of a test picture."""
    for n in range(6):
        write(tmp_path / "other" / ("NORMAL" if n % 2 else "PNEUMONIA") / f"new{n}.png", picture(100 + n))
    learned = cv2.imread(str(own_file(run, "train")), cv2.IMREAD_GRAYSCALE)
    write(tmp_path / "other/NORMAL/encoded.jpg", learned)
    write(tmp_path / "other/NORMAL/smaller.png", cv2.resize(learned, (130, 150), interpolation=cv2.INTER_AREA))
    write(tmp_path / "other/NORMAL/colour.png", cv2.cvtColor(learned, cv2.COLOR_GRAY2BGR))
    tested = cv2.imread(str(own_file(run, "test")), cv2.IMREAD_GRAYSCALE)
    write(tmp_path / "other/NORMAL/of_test.jpg", tested)
    return tmp_path / "other"


def test_copies_of_training_pictures_are_counted_and_stay(run, other, caplog):
    manifest = load_manifest(other)
    part, known = known_images(run, manifest)
    found = set(manifest.table["path"][known.pictures])
    assert found == {f"NORMAL/{name}" for name in ("encoded.jpg", "smaller.png", "colour.png")}
    assert len(part) == len(manifest) and not known.patients.any()
    assert known.to_dict() == {"same_patient": 0, "look_alike": 3, "excluded": False, "note": ""}
    assert "3 of 10 images look like a training or validation image" in caplog.text
    assert "--exclude-known leaves them out" in known.notes()[0]


def test_copies_of_training_pictures_are_left_out_where_that_is_wanted(run, other):
    part, known = known_images(run, load_manifest(other), exclude=True)
    assert len(part) == 7 and "NORMAL/of_test.jpg" in set(part.table["path"])
    assert known.to_dict()["look_alike"] == 3 and known.notes()[0].endswith("they are left out.")


def test_other_pictures_of_training_patients_are_counted_and_left_out(run, other):
    name = own_file(run, "train").stem
    for number, stem in enumerate(
        (f"{name}-0002" if name.startswith("IM") else name.replace("_1", "_77"), "IM-9999-0001")
    ):
        write(other / "NORMAL" / f"{stem}.png", picture(200 + number))
    manifest = load_manifest(other)
    part, known = known_images(run, manifest)
    assert known.patients.sum() == 1 and "1 of 12 images have the patient id of a training" in known.notes()[0]
    assert len(known_images(run, manifest, exclude=True)[0]) == 8


def test_training_pictures_that_are_gone_are_told(run, other):
    own_file(run, "train").unlink()
    _, known = known_images(run, load_manifest(other))
    assert not known.pictures.any() and "1 of 16 training images cannot be read" in known.notes()[-1]


def test_nothing_left_is_an_error(run, tmp_path):
    for label in ("NORMAL", "PNEUMONIA"):
        write(
            tmp_path / "other" / label / f"{label}.jpg", cv2.imread(str(own_file(run, "train")), cv2.IMREAD_GRAYSCALE)
        )
    with pytest.raises(DataError, match="knows a patient or picture of every image wanted of .*other: none is left"):
        known_images(run, load_manifest(tmp_path / "other"), exclude=True)
