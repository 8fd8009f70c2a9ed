#!/usr/bin/env python
"""Chooses the real X-rays of data/sample: whole patients of three kinds, drawn at random, files as they are.

120 normal images, 60 of bacterial and 60 of viral pneumonia. A patient is taken with all images or not at all, and only
where all of them are of one kind, there are at most two, and none is byte-identical to another file of the set.

    python scripts/choose_sample.py ../shared/data/chest_xray data/sample
"""

import argparse
import shutil
import sys
from collections import defaultdict
from pathlib import Path

import numpy as np

WANTED = {"normal": 120, "bacterial": 60, "viral": 60}  # images
FEWEST_PATIENTS, MOST_IMAGES, MOST_BYTES = 40, 2, 2_000_000
FOLDERS = ("NORMAL", "PNEUMONIA")


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path, metavar="DIR", help="The Kaggle set at 224 pixels, with its train folder.")
    parser.add_argument("target", type=Path, metavar="SAMPLE", help="Folder whose NORMAL and PNEUMONIA are replaced.")
    parser.add_argument("--seed", type=int, default=0, help="[default: 0]")
    return parser.parse_args()


def kind_of(file):
    """What a file shows: normal, bacterial or viral."""
    from medxray.data.layouts import kermany

    return "normal" if file.parent.name == "NORMAL" else kermany.subtype(file.stem)


def patients_of(files):
    """Dict patient -> files, of those patients that may be taken."""
    from medxray.data.layouts import kermany
    from medxray.system.storage import file_sha256

    patients, same = defaultdict(list), defaultdict(list)
    for file in files:
        patients[kermany.patient_id(file.stem)].append(file)
        same[file_sha256(file)].append(file)
    twice = {file for group in same.values() if len(group) > 1 for file in group}
    return {
        patient: found
        for patient, found in patients.items()
        if patient
        and len(found) <= MOST_IMAGES
        and len(set(map(kind_of, found))) == 1
        and not twice.intersection(found)
    }


def choose(patients, seed):
    """The files of the sample, list of pathlib.Path; patients in seeded order, until the number wanted is full."""
    order = np.random.default_rng(seed).permutation(sorted(patients))
    chosen = {kind: [] for kind in WANTED}
    counts = dict.fromkeys(WANTED, 0)
    for patient in order:
        kind = kind_of(patients[patient][0])
        if len(chosen[kind]) + len(patients[patient]) <= WANTED[kind]:
            chosen[kind] += patients[patient]
            counts[kind] += 1
    for kind, files in chosen.items():
        print(f"{kind}: {len(files)} images of {counts[kind]} patients")
        if len(files) < WANTED[kind] or counts[kind] < FEWEST_PATIENTS:
            sys.exit(f"Expected {WANTED[kind]} {kind} images of {FEWEST_PATIENTS} patients or more.")
    return sorted(sum(chosen.values(), []))


def main():
    """Copy the files."""
    args = options()
    files = choose(patients_of(sorted((args.source / "train").rglob("*.jpeg"))), args.seed)
    size = sum(file.stat().st_size for file in files)
    print(f"{len(files)} images, {size:,} bytes")
    if size >= MOST_BYTES:
        sys.exit(f"The sample must stay below {MOST_BYTES:,} bytes.")
    for folder in FOLDERS:
        shutil.rmtree(args.target / folder, ignore_errors=True)
        (args.target / folder).mkdir(parents=True)
    for file in files:
        target = args.target / file.parent.name / file.name
        target.write_bytes(file.read_bytes())


if __name__ == "__main__":
    main()
