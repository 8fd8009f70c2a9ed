#!/usr/bin/env python
"""Makes a picture small enough for the docs: scaled down to a width and written as JPEG of at most 150 kB.

python scripts/small_picture.py runs/latest/evaluations/test/cohort/cohort.png docs/images/cohort.jpg --width 900
"""

import argparse
import sys
from pathlib import Path

import cv2

LARGEST = 150_000  # bytes
QUALITIES = range(90, 40, -5)


def small(pixels, width):
    """JPEG bytes of an image (H,W,3), scaled down to a width in pixels where it is wider; None where none is small."""
    if pixels.shape[1] > width:
        height = round(pixels.shape[0] * width / pixels.shape[1])
        pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
    encoded = (cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes() for quality in QUALITIES)
    return next((content for content in encoded if len(content) <= LARGEST), None)


def main():
    """Read, scale, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source")
    parser.add_argument("target")
    parser.add_argument("--width", type=int, default=900)
    args = parser.parse_args()
    pixels = cv2.imread(args.source)
    if pixels is None:
        sys.exit(f"{args.source} is missing or no image.")
    content = small(pixels, args.width)
    if content is None:
        sys.exit(f"{args.source} is over {LARGEST} bytes at every quality. Give a lower --width.")
    Path(args.target).write_bytes(content)
    print(f"{args.target}: {len(content)} bytes")


if __name__ == "__main__":
    main()
