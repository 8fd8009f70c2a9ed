"""A film played in headless Chromium; skipped where there is none."""

import numpy as np
import pytest

from medxray.film import encoders
from medxray.film.encoders import encoder_for, write_frames
from medxray.film.page import title_page
from medxray.film.scenes import scene_frames
from tests.fixtures.browser import in_browser, needs_chromium

pytestmark = needs_chromium
COUNT, FPS = 12, 8
_PLAY = """
const film = document.querySelector("video");
const look = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  const pen = canvas.getContext("2d");
  pen.drawImage(film, 0, 0);
  return [...pen.getImageData(600, 360, 1, 1).data].slice(0, 3);
};
film.addEventListener("error", () => tell({ failed: film.error.message }));
const told = setInterval(() => {
  if (!film.ended && film.currentTime < film.duration) return;
  clearInterval(told);
  tell({ duration: film.duration, size: [film.videoWidth, film.videoHeight], at: film.currentTime, pixel: look(), errors });
}, 100);
film.play();
"""


@pytest.mark.parametrize("name", ["film.webm", "film.mp4"])
@pytest.mark.parametrize("engine", ["pyav", "opencv"])
def test_a_film_plays_to_its_end_at_its_length_and_size(scene, engine, name, tmp_path, monkeypatch):
    if engine == "opencv":
        monkeypatch.setattr(encoders, "av", None)
    if encoders.av is None and (engine == "pyav" or name.endswith("mp4")):
        pytest.skip("PyAV is not installed, and OpenCV writes no H.264")
    heat = np.ones((4, 4), np.float32)
    frames = [title_page("Title", ["line"])] * 2 + list(scene_frames(scene(heat=heat), COUNT - 2))
    write_frames(tmp_path / name, frames, encoder_for(name), fps=FPS, expected=COUNT)
    page = f'<!doctype html><html><body><video src="{name}" muted></video></body></html>'
    found = in_browser(page, _PLAY, tmp_path, flags=["--allow-file-access-from-files"])
    assert "failed" not in found, found
    assert found["duration"] == pytest.approx(COUNT / FPS, abs=1.5 / FPS) and found["size"] == [1280, 720]
    assert found["at"] == pytest.approx(found["duration"], abs=0.2) and found["errors"] == []
    assert found["pixel"] == pytest.approx(frames[-1][360, 600].tolist(), abs=12)
