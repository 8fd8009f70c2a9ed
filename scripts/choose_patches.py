#!/usr/bin/env python
"""Compares variants of PaDiM and PatchCore without looking at an image of a diseased person.

Fitted on the normal training images, a variant is as good as its AUROC on drawn opacities, in one of two ways. With
--data: between normal validation images and the same ones with opacities painted into their lungs, three of each kind
into every image, the mean of both kinds. With --phantoms N: between the validation and test phantoms of N synthetic
patients with and without opacities; such a variant is fitted on the normal phantoms.

Variants: patch features as they are or with root mean square 1 per layer and position, and how a map becomes the score
of an image. The reference is the paper's: features as they are, largest distance.

    python scripts/choose_patches.py --phantoms 600 --weights FILE --seed 1
    python scripts/choose_patches.py --data DIR --weights FILE --seed 1
"""

import argparse
import dataclasses
import tempfile
from pathlib import Path

import numpy as np
from painting import labelled_table, painted_sets, painted_table, placements

REFERENCE = "as they are, max"
WORDS = {"none": "as they are", "unit": "of unit strength"}


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    images = parser.add_mutually_exclusive_group(required=True)
    images.add_argument("--data")
    images.add_argument("--phantoms", type=int, metavar="N")
    parser.add_argument("--weights", default="auto")
    parser.add_argument("--arch", default="vgg16")
    parser.add_argument("--methods", nargs="+", default=["padim", "patchcore"])
    parser.add_argument("--seed", type=int, default=1, help="Of the phantoms, the split, the fit, the painting.")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--fit-seed", type=int, help="Of channels and memory bank; default: --seed.")
    args = parser.parse_args()
    args.fit_seed = args.seed if args.fit_seed is None else args.fit_seed
    return args


def reductions(maps):
    """What an image's score could be, from maps (n,h,w)."""
    flat = np.sort(maps.reshape(len(maps), -1), axis=1)
    return {
        "max": flat[:, -1],
        "top 5 %": flat[:, -max(flat.shape[1] // 20, 1) :].mean(axis=1),
        "root mean square": np.sqrt((flat**2).mean(axis=1)),
        "mean": flat.mean(axis=1),
    }


def activations_of(part, images):
    """Activations of grey uint8 images (n,h,w), batch by batch: list of lists of float16 arrays."""
    batches = (images[start : start + 16] for start in range(0, len(images), 16))
    parts = (part(batch[..., None].astype(np.float32)) for batch in batches)
    return [[output.numpy().astype(np.float16) for output in outputs] for outputs in parts]


def map_of(fit, patches):
    """Anomaly maps (n,h,w) of patches."""
    import keras
    import tensorflow as tf

    x = keras.Input((patches.height, patches.width, patches.dimensions))
    forward = tf.function(keras.Model(x, fit.graph(x)[0]), reduce_retracing=True)
    return np.concatenate([forward(tf.constant(batch)).numpy() for batch in patches.batches()])


def sources(args, folder):
    """{scale: PatchSource with the sets normal (fitted) and val (scored)}, compiled backbone, pixels, labels of val."""
    from medxray.anomaly.choices import PATCH_SCALES
    from medxray.anomaly.config import AnomalyConfig
    from medxray.anomaly.patch_graph import build_backbone, patch_layers
    from medxray.anomaly.patch_source import NORMAL, PatchSource
    from medxray.data.layouts.labels import BY_NAME
    from medxray.data.manifest import SPLITS
    from medxray.data.phantom.draw import generate_phantoms
    from medxray.models.classifier import prefix
    from medxray.models.inference import compiled
    from medxray.models.weights import load_weights
    from medxray.training.dataset import choose_manifest, decode_splits

    if args.phantoms:
        generate_phantoms(Path(folder) / "phantoms", patients=args.phantoms, seed=args.seed)
    data = args.data or f"{folder}/phantoms"
    config = AnomalyConfig(
        method="padim", arch=args.arch, data=data, weights=args.weights, seed=args.seed, limit=args.limit
    ).resolved()
    config = dataclasses.replace(config, cache_dir=f"{folder}/cache")
    manifest = choose_manifest(config, normal=BY_NAME)
    images, left_out = decode_splits(manifest, config, SPLITS)
    if left_out:
        print(f"Left out: {left_out}")
    rows = images.rows
    chosen = {NORMAL: rows["train"][images.labels[rows["train"]] == 0]}
    chosen["val"] = np.concatenate([rows["val"], rows["test"]]) if args.phantoms else rows["val"]
    if args.data:
        chosen["val"] = chosen["val"][images.labels[chosen["val"]] == 0]
    images = dataclasses.replace(images, rows=chosen)
    backbone = build_backbone(config.arch, image_size=config.image_size, channels=config.channels)
    load_weights(backbone, config.arch, config.weights)
    part = compiled(prefix(backbone, patch_layers(config.arch)))
    pixels = images.source.pixels[chosen["val"]][..., 0]
    kinds = (dataclasses.replace(config, patch_scale=scale) for scale in PATCH_SCALES)
    found = {kind.patch_scale: PatchSource(backbone, images, kind) for kind in kinds}
    return found, part, pixels, images.labels[chosen["val"]]


def compared(args, method, source, kept, words):
    """Fit one method on one kind of patches.

    Args:
        args: the command line.
        method: "padim" or "patchcore".
        source: PatchSource.
        kept: {kind: activations of the painted images}.
        words: for the names of the variants.

    Returns:
        {variant: {"val" or kind: scores}}.
    """
    from medxray.anomaly.methods import METHODS
    from medxray.anomaly.padim import fit_padim
    from medxray.anomaly.patch_source import NORMAL
    from medxray.anomaly.patchcore import fit_patchcore

    patches = source.patches(NORMAL)
    options = METHODS[method].options
    if method == "padim":
        fit = fit_padim(patches, dimensions=options["dimensions"], seed=args.fit_seed)
    else:
        fit = fit_patchcore(patches, share=options["coreset"], seed=args.fit_seed)
    given = {"val": source.patches("val")}
    for kind, parts in kept.items():
        count = sum(len(part[0]) for part in parts)
        given[kind] = source.to_patches(lambda parts=parts: cast(parts), count)
    found = {}
    for kind, part in given.items():
        for name, scores in reductions(map_of(fit, part)).items():
            found.setdefault(f"{words}, {name}", {})[kind] = scores
    return found


def contrasts(sets, kinds):
    """{kind: placements} of a variant's scores."""
    return {kind: placements(sets["val"], sets[kind]) for kind in kinds}


def cast(parts):
    """The activations as float32."""
    return ([part.astype(np.float32) for part in batch] for batch in parts)


def main():
    """Fit, score, print."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    how = {"seed": args.seed, "reference": REFERENCE}
    with tempfile.TemporaryDirectory() as folder:
        scales, part, pixels, labels = sources(args, folder)
        drawn = painted_sets(pixels, args.seed) if args.data else {}
        kept = {kind: activations_of(part, images) for kind, images in drawn.items()}
        print(f"seed {args.seed}, {len(labels)} images, {labels.sum()} of them not normal", flush=True)
        for method in args.methods:
            found = {}
            for scale, source in scales.items():
                found |= compared(args, method, source, kept, WORDS[scale])
            if args.phantoms:
                rows = labelled_table({name: sets["val"] for name, sets in found.items()}, labels, **how)
            else:
                rows = painted_table({name: contrasts(sets, drawn) for name, sets in found.items()}, **how)
            print(f"\n{method}", *rows, sep="\n", flush=True)


if __name__ == "__main__":
    main()
