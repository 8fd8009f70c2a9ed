#!/usr/bin/env python
"""Time and memory of PatchCore fitted on a given number of normal images.

Splits the data by patient so that the training split holds that many normal images and nothing else; what is left of
the normal images, and as many abnormal ones, are halved into validation and test. Trains in a process of its own with
an empty cache and prints seconds by phase, the largest memory of the process and the AUROC on test images.

    python scripts/bench_patchcore.py --data DIR --weights FILE --images 1100
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from medxray.data.layouts.sources import load_manifest
from medxray.data.manifest import write_split_csv


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="auto")
    parser.add_argument("--arch", default="vgg16")
    parser.add_argument("--images", type=int, default=1100)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def split(manifest, count, seed):
    """The manifest with `count` normal images in train and the rest of the normal images halved, patients together."""
    labels, patients = manifest.labels(), manifest.patients()
    order = np.random.default_rng(seed).permutation(np.unique(patients))
    splits, filled = np.full(len(manifest), "", object), {"train": 0}
    for number, patient in enumerate(order):
        rows = np.flatnonzero(patients == patient)
        normal = rows[labels[rows] == 0]
        room = count - filled["train"]
        if len(normal) == len(rows) and room > 0:
            splits[rows[:room]] = "train"
            filled["train"] += len(rows[:room])
        else:
            splits[rows] = ("val", "test")[number % 2]
    left = int((np.isin(splits, ("val", "test")) & (labels == 0)).sum())
    for name in ("val", "test"):
        abnormal = np.flatnonzero((splits == name) & (labels == 1))
        splits[abnormal[max(left // 2, 1) :]] = ""
    table = manifest.table.assign(split=splits)
    return type(manifest)(
        table[splits != ""].reset_index(drop=True),
        manifest.root,
        manifest.task,
        manifest.classes,
        manifest.positive,
        manifest.grouped,
    )


def main():
    """Split, train, print."""
    args = options()
    with tempfile.TemporaryDirectory() as folder:
        split_file = Path(folder) / "split.csv"
        write_split_csv(split(load_manifest(args.data), args.images, args.seed), split_file)
        words = ["--method", "patchcore", "--arch", args.arch, "--weights", args.weights, "--data", args.data]
        words += ["--split-file", str(split_file), "--seed", str(args.seed), "--no-export", "--name", "bench"]
        words += ["--runs-dir", f"{folder}/runs", "--cache-dir", f"{folder}/cache"]
        subprocess.run([sys.executable, "-m", "medxray", "anomaly", "train", *words], check=True, stdout=sys.stderr)
        record = json.loads((Path(folder) / "runs" / "bench" / "run.json").read_text())
        metrics = json.loads((Path(folder) / "runs" / "bench" / "metrics.json").read_text())
    print(f"images fitted  {record['anomaly']['fitted_on']}")
    for phase, seconds in record["seconds"].items():
        print(f"{phase:<13}  {seconds:.1f} s")
    print(f"memory         {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6:.2f} GB at most")
    print(f"test AUROC     {metrics['splits']['test']['auroc']['value']:.3f}")


if __name__ == "__main__":
    main()
