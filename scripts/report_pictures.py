#!/usr/bin/env python
"""Photographs the report of a run in headless Chromium: on a desktop, with its slider moved, on a phone, dark, printed.

    python scripts/report_pictures.py runs/latest --out docs/images

Each picture is a JPEG of at most 150 kB, `report-<what>.jpg`. Debian: `apt-get install chromium`.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
from small_picture import small

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SHARES = (1.0, 0.85, 0.7)  # of the width of a view, until the picture is small enough
NARROWEST = 500  # pixels, of a window of Chromium. The page has a frame in it: a scrolled window is photographed white
_GO = "document.getElementById('{0}').scrollIntoView(); scrollBy(0, -8);"
_SLIDE = """
const moved = document.getElementById("threshold");
if (moved) { moved.value = Math.round(moved.max * 0.25); moved.dispatchEvent(new Event("input")); }
"""


@dataclass(frozen=True)
class View:
    """A way to look at the page.

    Attributes:
        width, height: of what is seen, in pixels.
        script: what is done with the page before, JavaScript.
        printed: whether it is seen as on paper.
    """

    width: int
    height: int
    script: str = ""
    printed: bool = False


VIEWS = {
    "desktop": View(1200, 1300),
    "slider": View(1200, 1000, _SLIDE + _GO.format("operating")),
    "phone": View(390, 1300, _SLIDE + _GO.format("operating")),
    "dark": View(1200, 1000, "document.getElementById('theme').click();" + _GO.format("curves")),
    "predictions": View(1000, 1000, "document.getElementById('heat-switch')?.click();" + _GO.format("gallery")),
    "printed": View(794, 1123, printed=True),  # A4
}


def photograph(page, view, folder):
    """Show a page and photograph it.

    Args:
        page: HTML of a report.
        view: View.
        folder: pathlib.Path of an empty folder for files of the browser.

    Returns:
        uint8 array (height, width, 3), BGR.
    """
    file, shot = folder / "page.html", folder / "shot.png"
    script = view.script
    if view.printed:
        page, script = page.replace("@media print", "@media all"), "dispatchEvent(new Event('beforeprint'));"
    late = f"<script>addEventListener('load', () => setTimeout(() => {{ {script} }}, 1500));</script></body>"
    file.write_text(page.replace("</body>", late, 1), encoding="utf-8")
    frame = f'<iframe src="{file.name}" style="border: 0; width: {view.width}px; height: {view.height}px"></iframe>'
    window = folder / "window.html"
    window.write_text(f'<!DOCTYPE html><body style="margin: 0">{frame}</body>', encoding="utf-8")
    size = f"--window-size={max(view.width, NARROWEST)},{view.height}"
    flags = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", size]
    flags += [f"--user-data-dir={folder / 'profile'}", "--virtual-time-budget=10000", f"--screenshot={shot}"]
    subprocess.run([CHROMIUM, *flags, window.as_uri()], capture_output=True, timeout=120, check=True)
    return cv2.imread(str(shot))[: view.height, : view.width]


def take_pictures(page, out):
    """Write a picture of a page (HTML of a report) for each of VIEWS into a folder; yields (path, bytes) of each."""
    for name, view in VIEWS.items():
        with tempfile.TemporaryDirectory() as folder:
            pixels = photograph(page, view, Path(folder))
        sizes = (small(pixels, round(view.width * share)) for share in SHARES)
        file, content = out / f"report-{name}.jpg", next(filter(None, sizes), None)
        if content is None:
            sys.exit(f"{file} does not become small enough at any quality.")
        out.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        yield file, len(content)


def main():
    """Write the report anew, and photograph it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="A completed run.")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    args = parser.parse_args()
    if CHROMIUM is None:
        sys.exit("There is no Chromium here. Debian: apt-get install chromium")
    from medxray.report.contents import read_contents
    from medxray.report.report import report_page

    for file, count in take_pictures(report_page(read_contents(args.run)), args.out):
        print(f"{file}: {count} bytes")


if __name__ == "__main__":
    main()
