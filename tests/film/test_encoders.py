"""Frames in files: written, read back, and what cannot be written is an error."""

import subprocess
import sys

import cv2
import numpy as np
import pytest

from medxray.errors import ConfigError, StorageError
from medxray.film import encoders
from medxray.film.encoders import encoder_for, frames_in, write_frames
from medxray.film.page import HEIGHT, WIDTH

FRAMES = 9
_SMALL_DISK = """
import resource, sys
import numpy as np
from medxray.errors import StorageError
from medxray.film import encoders
if sys.argv[2] == "opencv":
    encoders.av = None
frames = (np.random.default_rng(k).integers(0, 255, (720, 1280, 3), dtype=np.uint8) for k in range(4))
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
from pathlib import Path
try:
    encoders.write_frames(Path(sys.argv[1]), frames, encoders.encoder_for(sys.argv[1]), fps=10, expected=4)
except StorageError as error:
    print(error)
"""


def frames(count=FRAMES):
    """Frames whose upper half is of a colour of their own."""
    for number in range(count):
        frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
        frame[: HEIGHT // 2] = (200, 20 * number, 40)
        yield frame


@pytest.fixture(params=["opencv", "pyav"])
def engine(request, monkeypatch):
    if request.param == "opencv":
        monkeypatch.setattr(encoders, "av", None)
    elif encoders.av is None:
        pytest.skip("PyAV is not installed")
    return request.param


@pytest.mark.parametrize("name", ["film.webm", "film.mp4", "FILM.WEBM"])
def test_what_is_written_can_be_read_back_in_its_colours(engine, name, tmp_path):
    if engine == "opencv" and name.endswith("mp4"):
        pytest.skip("OpenCV writes no H.264")
    file, encoder = tmp_path / "new" / name, encoder_for(name)
    write_frames(file, frames(), encoder, fps=10, expected=FRAMES)
    assert frames_in(file) == (FRAMES, WIDTH, HEIGHT)
    assert [one.name for one in file.parent.iterdir()] == [name]
    reader = cv2.VideoCapture(str(file))
    assert reader.get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    seen = [reader.read()[1][..., ::-1].astype(int) for _ in range(FRAMES)]
    reader.release()
    for number, frame in enumerate(seen):
        assert frame[50, 50] == pytest.approx([200, 20 * number, 40], abs=16)
        assert frame[-50, -50] == pytest.approx([0, 0, 0], abs=8)


def test_the_codec_follows_from_suffix_and_what_is_installed(monkeypatch):
    if encoders.av is not None:
        assert encoder_for("a.mp4").name == "H.264 by PyAV" and encoder_for("a.webm").name == "VP9 by PyAV"
    monkeypatch.setattr(encoders, "av", None)
    assert encoder_for("a.webm").name == "VP8 by OpenCV"
    with pytest.raises(ConfigError, match=r"needs PyAV, which is not installed: pip install 'medxray\[video\]'. Or "):
        encoder_for("a.mp4")


def test_a_pyav_without_h264_is_an_error_and_one_without_vp9_makes_room_for_opencv(monkeypatch):
    if encoders.av is None:
        pytest.skip("PyAV is not installed")
    monkeypatch.setattr(encoders, "H264", "libnothing")
    monkeypatch.setattr(encoders, "VP9", "libnothing")
    assert encoder_for("a.webm").name == "VP8 by OpenCV"
    with pytest.raises(ConfigError, match="needs an H.264 encoder, which this PyAV lacks"):
        encoder_for("a.mp4")


@pytest.mark.parametrize("name", ["film.avi", "film", "film.gif", "webm"])
def test_another_suffix_is_refused(name):
    with pytest.raises(ConfigError, match=f"ends in .mp4 or .webm. Received '{name}'"):
        encoder_for(name)


def test_an_encoder_that_stops_early_leaves_what_was_there(engine, tmp_path):
    file = tmp_path / "film.webm"
    file.write_bytes(b"before")
    with pytest.raises(StorageError, match=f"Could not write {file}: {FRAMES} of {FRAMES + 1} frames can be read"):
        write_frames(file, frames(), encoder_for(file), fps=10, expected=FRAMES + 1)
    assert file.read_bytes() == b"before" and list(tmp_path.iterdir()) == [file]


def test_opencv_without_an_encoder_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr(encoders, "av", None)
    monkeypatch.setattr(cv2.VideoWriter, "fourcc", staticmethod(lambda *letters: 0x7FFFFFFF))
    with pytest.raises(StorageError, match="no encoder for VP8"):
        write_frames(tmp_path / "film.webm", frames(), encoder_for("film.webm"), fps=10, expected=FRAMES)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("engine_name", ["opencv", "pyav"])
def test_a_full_disk_is_one_line_and_leaves_nothing(engine_name, tmp_path):
    pytest.importorskip("resource", reason="this system cannot limit the size of files")
    if engine_name == "pyav" and encoders.av is None:
        pytest.skip("PyAV is not installed")
    words = [sys.executable, "-c", _SMALL_DISK, str(tmp_path / "film.webm"), engine_name]
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith(f"Could not write {tmp_path / 'film.webm'}: ") and answer.stdout.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_film_has_no_frames(engine, tmp_path):
    (tmp_path / "film.webm").write_bytes(b"no film")
    assert frames_in(tmp_path / "film.webm")[0] == 0
