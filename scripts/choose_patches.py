#!/usr/bin/env python
"""Compares variants of PaDiM and PatchCore on painted opacities, that is without looking at a diseased image.

Opacities as in the synthetic phantoms are painted into the lungs of the normal validation images, three of each kind
into every image. A variant is as good as its AUROC between the images with and without, the mean of both kinds; it is
fitted on the normal training images. Variants: patch features as they are or with root mean square 1 per layer and
position, and how a map becomes the score of an image. The reference is the paper's: features as they are, largest
distance. Neither labelled nor test images are looked at, unless --labelled asks for the former.

    python scripts/choose_patches.py --data DIR --weights FILE --seed 1
"""

import argparse
import dataclasses
import tempfile

import numpy as np
from painting import painted_sets, placements, table

REFERENCE = "as they are, max"


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="auto")
    parser.add_argument("--arch", default="vgg16")
    parser.add_argument("--methods", nargs="+", default=["padim", "patchcore"])
    parser.add_argument("--seed", type=int, default=1, help="Of the split, the fit and the painting.")
    parser.add_argument("--limit", type=int)
    parser.add_argument("--labelled", action="store_true", help="Also print the AUROC on labelled validation images.")
    return parser.parse_args()


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


def map_of(method, fit, patches):
    """Anomaly maps (n,h,w) of patches."""
    import keras
    import tensorflow as tf

    from medxray.models.padim import padim_map
    from medxray.models.patchcore import patchcore_map

    x = keras.Input((patches.height, patches.width, patches.dimensions))
    if method == "padim":
        output = padim_map(x, channels=fit.channels, mean=fit.mean, whitening=fit.whitening)
    else:
        output = patchcore_map(x, bank=fit.bank, neighbors=fit.neighbors)[0]
    forward = tf.function(keras.Model(x, output), reduce_retracing=True)
    return np.concatenate([forward(tf.constant(batch)).numpy() for batch in patches.batches()])


def sources(args, folder):
    """Everything about the data: PatchSource, compiled backbone, normal validation images, labels of validation."""
    from medxray.anomaly.config import AnomalyConfig
    from medxray.anomaly.patches_of_images import NORMAL, PatchSource
    from medxray.data.labels import BY_NAME
    from medxray.inference import compiled
    from medxray.models.classifier import prefix
    from medxray.models.patch_detector import build_backbone, patch_layers
    from medxray.models.weights import load_weights
    from medxray.training.dataset import choose_manifest, decode_manifest

    config = AnomalyConfig(
        method="padim", arch=args.arch, data=args.data, weights=args.weights, seed=args.seed, limit=args.limit
    ).resolved()
    config = dataclasses.replace(config, cache_dir=f"{folder}/cache")
    manifest = choose_manifest(config, normal=BY_NAME)
    _, images = decode_manifest(manifest, config, learned=manifest.classes[:1])
    rows, labels = images.rows, images.labels[images.rows["val"]]
    chosen = {NORMAL: rows["train"][images.labels[rows["train"]] == 0]}
    chosen["val"] = rows["val"] if args.labelled else rows["val"][labels == 0]
    labels = images.labels[chosen["val"]]
    images = dataclasses.replace(images, rows=chosen)
    backbone = build_backbone(config.arch, image_size=config.image_size, channels=config.channels)
    load_weights(backbone, config.arch, config.weights)
    part = compiled(prefix(backbone, patch_layers(config.arch)))
    plain = images.source.pixels[chosen["val"][labels == 0]][..., 0]
    return PatchSource(backbone, images, config), part, plain, labels


def compared(args, method, scaled, data, kept):
    """Fit one method on one kind of patches: ({variant: {kind: placements}}, {variant: labelled AUROC})."""
    from sklearn.metrics import roc_auc_score

    from medxray.anomaly.padim import fit_padim
    from medxray.anomaly.patchcore import fit_patchcore
    from medxray.anomaly.patches_of_images import NORMAL

    source, _, plain, labels = data
    patches = source.patches(NORMAL, scaled=scaled)
    fit = fit_padim(patches, seed=args.seed) if method == "padim" else fit_patchcore(patches, seed=args.seed)
    scores = reductions(map_of(method, fit, source.patches("val", scaled=scaled)))
    words, found = "of unit strength" if scaled else "as they are", {}
    for kind, parts in kept.items():
        count = sum(len(part[0]) for part in parts)
        given = source.to_patches(lambda parts=parts: cast(parts), count, scaled=scaled)
        for name, values in reductions(map_of(method, fit, given)).items():
            found.setdefault(f"{words}, {name}", {})[kind] = placements(scores[name][labels == 0], values)
    known = {f"{words}, {name}": roc_auc_score(labels, values) for name, values in scores.items() if args.labelled}
    return found, known


def cast(parts):
    """The activations as float32."""
    return ([part.astype(np.float32) for part in batch] for batch in parts)


def main():
    """Fit, score, print."""
    args = options()
    from medxray.backend import load_tensorflow

    load_tensorflow()
    with tempfile.TemporaryDirectory() as folder:
        data = sources(args, folder)
        kept = {kind: activations_of(data[1], images) for kind, images in painted_sets(data[2], args.seed).items()}
        print(f"seed {args.seed}, {len(data[2])} normal validation images", flush=True)
        for method in args.methods:
            variants, labelled = {}, {}
            for scaled in (False, True):
                found, known = compared(args, method, scaled, data, kept)
                variants |= found
                labelled |= known
            print(f"\n{method}", *table(variants, seed=args.seed, reference=REFERENCE), sep="\n", flush=True)
            for name, value in labelled.items():
                print(f"labelled validation images, {name}: {value:.3f}", flush=True)


if __name__ == "__main__":
    main()
