#!/usr/bin/env python
"""Times `medxray gradcam` on a few and on many images: images per second, and the peak of its memory.

Each call is a process of its own, as a user starts it. Copies of the images, scaled to other sizes, fill up what is
missing, so that every image has a size of its own. The time per image is that of the many less that of the few, so the
start of TensorFlow does not count. Peak memory is what Linux and macOS tell of a process that has ended.

    python scripts/bench_gradcam.py RUN IMAGE_OR_FOLDER... --few 4 --many 100
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("images", nargs="+")
    parser.add_argument("--few", type=int, default=4)
    parser.add_argument("--many", type=int, default=100)
    parser.add_argument("--engine", default="compiled")
    return parser.parse_args()


def write_images(sources, folder, count):
    """Write `count` JPEG files, each of another size."""
    folder.mkdir()
    for number in range(count):
        pixels = cv2.imread(str(sources[number % len(sources)]), cv2.IMREAD_GRAYSCALE)
        scale = 1 - 0.05 * (number // len(sources))
        width, height = (max(1, round(side * scale)) for side in pixels.shape[::-1])
        small = cv2.resize(pixels, (width, height + number % 7), interpolation=cv2.INTER_AREA)
        cv2.imwrite(str(folder / f"{number:04}.jpeg"), small)


def measure(args, folder, out):
    """(seconds, seconds of processor time, peak memory in MB) of one call of the command."""
    words = ["gradcam", str(folder), "--model", args.run, "--engine", args.engine, "--raw", "--out", str(out)]
    started = time.perf_counter()
    process = subprocess.Popen([sys.executable, "-m", "medxray", *words], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"medxray {' '.join(words)} failed.")
    peak = used.ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1 << 10)
    return time.perf_counter() - started, used.ru_utime + used.ru_stime, peak


def main():
    """Print the figures as a Markdown table."""
    args = options()
    from medxray.predict.inputs import expand_inputs

    sources = expand_inputs(args.images)
    with tempfile.TemporaryDirectory() as name:
        rows = []
        for count in (args.few, args.many):
            write_images(sources, Path(name) / f"in-{count}", count)
            rows.append(measure(args, Path(name) / f"in-{count}", Path(name) / f"out-{count}"))
    print("| images | seconds | processor seconds | peak MB |\n|---|---|---|---|")
    for count, (seconds, processor, peak) in zip((args.few, args.many), rows, strict=True):
        print(f"| {count} | {seconds:.1f} | {processor:.1f} | {peak:.0f} |")
    more = args.many - args.few
    (few, few_processor, _), (many, many_processor, _) = rows
    processor = (many_processor - few_processor) / more
    print(f"{more / (many - few):.2f} images/s; {processor:.2f} processor seconds per image")


if __name__ == "__main__":
    main()
