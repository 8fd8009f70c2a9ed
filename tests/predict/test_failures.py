"""What is not in an image never becomes its fault, in any command."""

import errno

import numpy as np
import pytest
from PIL import Image

from medxray.data.images import load


@pytest.fixture
def images(tmp_path, write_image):
    """A folder with two pictures, the second of them with an orientation tag."""
    write_image(tmp_path / "images" / "a.png", shape=(40, 60))
    tag = Image.Exif()
    tag[274] = 6
    Image.fromarray(np.full((40, 60), 90, np.uint8)).save(tmp_path / "images" / "b.jpg", exif=tag.tobytes())
    return tmp_path / "images"


@pytest.mark.parametrize(
    "words", [["predict"], ["gradcam", "--out", "{out}"], ["embed", "extract", "--out", "{out}.npz", "--data"]], ids=str
)
def test_a_failing_disk_stops_a_command_with_the_path_in_one_line(
    medxray, trained, images, tmp_path, monkeypatch, words
):
    def fail(*_):
        raise OSError(errno.EIO, "x")

    monkeypatch.setattr(load, "_loaded", fail)
    words = [word.format(out=tmp_path / "out") for word in words]
    if "embed" in words:
        for name in ("NORMAL", "PNEUMONIA"):
            (images / name).mkdir()
            for file in images.glob("*.*"):
                (images / name / file.name).write_bytes(file.read_bytes())
        words = [*words, str(images), str(trained.path)]
    else:
        words = [*words, str(images), "--model", str(trained.path)]
    status, _, err = medxray(*words)
    last = err.strip().splitlines()[-1]
    assert status == 1 and last.startswith(f"Error: {images}/") and "Input/output error" in last


def test_prediction_warns_of_orientation_tags(medxray, trained, images):
    status, out, err = medxray("predict", images, "--model", trained.path)
    assert status == 0 and len(out.splitlines()) == 2
    assert f"Warning: 1 image has an orientation tag, which is not applied (first: {images}/b.jpg)" in err
