#!/usr/bin/env python
"""Trains variants of the autoencoder on normal images and compares them without an image of a diseased person.

Two measures. Reconstruction of normal validation images: mean structural similarity and share of each image's variance
that the reconstruction explains, both on 64 x 64 pixels. AUROC of the score on drawn opacities, in one of two ways.
With --data: between normal validation images and the same ones with opacities painted into their lungs, three of each
kind, the mean of both kinds. With --phantoms N: between the validation and test phantoms of N synthetic patients with
and without opacities; then everything is trained on the normal phantoms.

A variant is LOSS[+standardize]/BOTTLENECK/PIXELS. The reference is the plain method: squared error, images as they are.
The choice is by reconstruction alone: of the variants that are within 0.02 of the best in both numbers, the one with
the fewest pixels, then the smallest bottleneck, then the largest sum of both numbers. Where no variant is that close in
both, as when one has the best similarity and another the best variance explained, it is the one with the largest sum.

    python scripts/choose_autoencoder.py --phantoms 600 --seed 1
    python scripts/choose_autoencoder.py --data DIR --seed 1
"""

import argparse
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from painting import labelled_table, painted_sets, painted_table, placements

REFERENCE = "mse/64/64"
VARIANTS = (
    REFERENCE,
    "mse+standardize/64/64",
    "ssim+standardize/64/64",
    "mix+standardize/64/64",
    "mix/64/64",
    "mix+standardize/16/64",
    "mix+standardize/256/64",
    "mix+standardize/64/96",
)
CLOSE = 0.02
SIDE = 64  # reconstructions of every size are compared on this grid


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument("--data")
    images.add_argument("--phantoms", type=int, metavar="N")
    parser.add_argument("--variants", nargs="+", default=VARIANTS, metavar="VARIANT")
    parser.add_argument("--epochs", type=int, default=50)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--seed", type=int, default=1, help="Of the phantoms, the split, the training, the painting.")
    args = parser.parse_args()
    if REFERENCE not in args.variants:
        parser.error(f"--variants must contain the reference {REFERENCE}.")
    return args


def trained(args, variant, folder):
    """The run of a variant."""
    import medxray

    form, bottleneck, side = variant.split("/")
    loss, _, standardize = form.partition("+")
    config = medxray.AnomalyConfig(
        method="autoencoder",
        data=args.data,
        loss=loss,
        standardize=bool(standardize),
        bottleneck=int(bottleneck),
        image_size=int(side),
        epochs=args.epochs,
        limit=args.limit,
        seed=args.seed,
        name=variant.replace("/", "-").replace("+", "-"),
        runs_dir=f"{folder}/runs",
        export=False,
    )
    return medxray.train(config)


def files_of(run, splits):
    """Images of a run's splits: paths, and 1 where they are not normal."""
    from medxray.runs.images import own_manifest

    manifest = own_manifest(run)
    chosen = manifest.table[manifest.table["split"].isin(splits)]
    root = Path(run.record["data"]["root"])
    return [str(root / path) for path in chosen["path"]], (chosen["label"] != manifest.classes[0]).to_numpy(int)


def written(files, folder, seed):
    """The images themselves and painted, as PNG files: {kind: paths}."""
    images = [cv2.imread(file, cv2.IMREAD_GRAYSCALE) for file in files]
    found = {"intact": images, **painted_sets(images, seed)}
    paths = {kind: [Path(folder) / f"{kind}-{number:04}.png" for number in range(len(found[kind]))] for kind in found}
    for kind, pictures in found.items():
        for path, picture in zip(paths[kind], pictures, strict=True):
            cv2.imwrite(str(path), picture)
    return paths


def scores_of(run, paths):
    """Scores of image files, float64 (n,)."""
    answers = run.predict(paths, gate="off")
    if (answers["error"] != "").any():
        sys.exit(f"An image cannot be read: {answers['error'].max()}")
    return answers["score"].to_numpy(np.float64)


def reconstruction(run, paths):
    """Mean structural similarity (Wang et al. 2004) and share of variance explained, on SIDE x SIDE grey values."""
    import tensorflow as tf

    maps, failures = run.maps(paths)
    assert not failures
    pairs = [[shrunk(part.pixels), shrunk(part.reconstruction)] for part in maps]
    similar = [float(tf.image.ssim(given[..., None], rebuilt[..., None], 255.0)) for given, rebuilt in pairs]
    left = [np.mean((given - rebuilt) ** 2) / max(np.var(given), 1.0) for given, rebuilt in pairs]
    return np.mean(similar), 1 - np.mean(left)


def shrunk(image):
    """Grey values 0-255, float32 (SIDE,SIDE)."""
    return cv2.resize(np.asarray(image, np.float32).mean(axis=-1), (SIDE, SIDE), interpolation=cv2.INTER_AREA)


def on_phantoms(args, folder):
    """Train and compare on phantoms: rows of a table, and (similarity, variance explained) of each variant."""
    from medxray.data.phantom.draw import generate_phantoms

    generate_phantoms(Path(folder) / "phantoms", patients=args.phantoms, seed=args.seed)
    args.data, found, rebuilt = f"{folder}/phantoms", {}, {}
    for variant in args.variants:
        run = trained(args, variant, folder)
        files, labels = files_of(run, ("val", "test"))
        found[variant] = scores_of(run, files)
        rebuilt[variant] = told(variant, run, [file for file, label in zip(files, labels, strict=True) if not label])
    print(f"\nseed {args.seed}, {len(files)} phantoms, {labels.sum()} of them with opacities")
    return labelled_table(found, labels, seed=args.seed, reference=REFERENCE), rebuilt


def on_painted(args, folder):
    """Train on X-rays and compare on painted ones: rows of a table, and what `on_phantoms` gives beside it."""
    found, rebuilt, paths = {}, {}, None
    for variant in args.variants:
        run = trained(args, variant, folder)
        if paths is None:
            files, labels = files_of(run, ("val",))
            paths = written([file for file, label in zip(files, labels, strict=True) if not label], folder, args.seed)
        scores = {kind: scores_of(run, files) for kind, files in paths.items()}
        intact = scores.pop("intact")
        found[variant] = {kind: placements(intact, values) for kind, values in scores.items()}
        rebuilt[variant] = told(variant, run, paths["intact"])
    print(f"\nseed {args.seed}, {len(paths['intact'])} normal validation images")
    return painted_table(found, seed=args.seed, reference=REFERENCE), rebuilt


def told(variant, run, files):
    """How well normal images are rebuilt, printed too."""
    similar, explained = reconstruction(run, files)
    print(f"{variant}: structural similarity {similar:.3f}, variance explained {explained:.3f}", flush=True)
    return similar, explained


def choice(rebuilt):
    """The variant that the rule above chooses from {variant: (similarity, variance explained)}, and why, as text."""
    best = np.max(list(rebuilt.values()), axis=0)
    close = [variant for variant, values in rebuilt.items() if (values >= best - CLOSE).all()]

    def cost(variant):
        _, bottleneck, pixels = variant.split("/")
        return int(pixels), int(bottleneck), -sum(rebuilt[variant])

    if close:
        return min(close, key=cost), f"the smallest of {len(close)} within {CLOSE} of the best in both numbers"
    best_sum = max(rebuilt, key=lambda variant: sum(rebuilt[variant]))
    return best_sum, f"the largest sum of both numbers, since none is within {CLOSE} of the best in both"


def main():
    """Train, score, print."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        rows, rebuilt = on_phantoms(args, folder) if args.phantoms else on_painted(args, folder)
    print(*rows, "Chosen by reconstruction: {}, {}".format(*choice(rebuilt)), sep="\n")


if __name__ == "__main__":
    main()
