"""A film played in headless Chromium; skipped where there is none."""

import json
import os
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from medxray.film import encoders
from medxray.film.encoders import encoder_for, write_frames
from medxray.film.page import title_page
from medxray.film.scenes import scene_frames
from tests.fixtures.browser import CHROMIUM, needs_chromium

pytestmark = needs_chromium
COUNT, FPS = 12, 8
_PLAY = """
<!doctype html><html><body><video src="NAME" muted></video><script>
const film = document.querySelector("video"), errors = [];
const tell = value => fetch("ADDRESS", { method: "POST", mode: "no-cors", body: JSON.stringify({ ...value, errors }) });
const look = () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [film.videoWidth, film.videoHeight];
  const pen = canvas.getContext("2d");
  pen.drawImage(film, 0, 0);
  return [...pen.getImageData(600, 360, 1, 1).data].slice(0, 3);
};
window.addEventListener("error", event => errors.push(event.message));
film.addEventListener("error", () => tell({ failed: film.error.message }));
film.addEventListener("ended", () => tell({
  duration: film.duration, size: [film.videoWidth, film.videoHeight], at: film.currentTime, pixel: look(),
}));
film.play().catch(error => tell({ failed: error.message }));
</script></body></html>
"""


class _Answers(BaseHTTPRequestHandler):
    """Puts what a page tells into the queue of its server."""

    def do_POST(self):  # noqa: N802 (a name of http.server)
        self.server.told.put(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *words):
        """Nothing is printed."""


def played(folder, name, *, longest=60):
    """Play a film in a page beside it, in real time, and return what the page tells at its end."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as server:
        server.told = queue.Queue()
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/"
        page = folder / "page.html"
        page.write_text(_PLAY.replace("NAME", name).replace("ADDRESS", address), encoding="utf-8")
        flags = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}"]
        flags += ["--allow-file-access-from-files", "--remote-debugging-port=0"]
        browser = subprocess.Popen([CHROMIUM, *flags, page.as_uri()], stderr=subprocess.DEVNULL)
        try:
            return server.told.get(timeout=longest)
        finally:
            browser.terminate()
            browser.wait()
            server.shutdown()


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
    found = played(tmp_path, name)
    assert "failed" not in found, found
    assert found["duration"] == pytest.approx(COUNT / FPS, abs=1.5 / FPS) and found["size"] == [1280, 720]
    assert found["at"] == pytest.approx(found["duration"], abs=0.2) and found["errors"] == []
    assert found["pixel"] == pytest.approx(frames[-1][360, 600].tolist(), abs=12)


@pytest.mark.skipif("MEDXRAY_FILM" not in os.environ, reason="MEDXRAY_FILM names no film")
def test_a_film_that_is_named_plays_to_its_end(tmp_path):
    film = Path(os.environ["MEDXRAY_FILM"]).resolve()
    (tmp_path / film.name).symlink_to(film)
    found = played(tmp_path, film.name, longest=600)
    print(found)
    assert "failed" not in found and found["size"] == [1280, 720] and found["errors"] == []
    assert found["at"] == pytest.approx(found["duration"], abs=0.2)
