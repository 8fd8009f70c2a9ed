#!/usr/bin/env python
"""Compares variants of PaDiM and PatchCore on painted opacities, that is without looking at a diseased image.

Opacities as in the synthetic phantoms are painted into the lungs of the normal validation images. A variant is as good
as its AUROC between these images and the same ones without; it is fitted on the normal training images. Variants: patch
features as they are or with root mean square 1 per layer and position, and how a map becomes the score of an image.
Beside it, for information, the AUROC on the labelled validation images. Test images are not looked at.

    python scripts/choose_patches.py RUN      (RUN: an anomaly run with method padim or patchcore, for data and weights)
"""

import argparse
import time

import cv2
import numpy as np

KINDS = ("bacterial", "viral")
SEVERITIES = (0.5, 1.0)  # of the way from the lung to the brightness of the mediastinum


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--methods", nargs="+", default=["padim", "patchcore"])
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def air_of(image):
    """Share of air (h,w), 0-1, in a chest X-ray: dark, and inside the chest."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), len(image) / 40)
    height, width = image.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    chest = ((np.abs(x) - 0.42) / 0.36) ** 2 + (y / 0.75) ** 2 < 1
    low, high = np.quantile(smooth[chest], (0.1, 0.8))
    return chest * np.clip((high - smooth) / max(high - low, 1.0), 0, 1).astype(np.float32)


def painted(image, kind, rng):
    """A grey uint8 image (h,w) with an opacity in its lungs."""
    from medxray.data.phantom_grid import Grid, draw_pose
    from medxray.data.phantom_opacity import bacterial, viral

    air = air_of(image)
    density = {"bacterial": bacterial, "viral": viral}[kind](Grid(image.shape, draw_pose(rng)), air, rng)
    target = np.quantile(image[image > 20], 0.85)
    share = np.clip(density * rng.uniform(*SEVERITIES), 0, 1)
    return np.clip(image + share * np.maximum(target - image, 0), 0, 255).astype(np.uint8)


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
    """Activations of grey uint8 images (h,w), batch by batch: list of lists of arrays."""
    batches = (np.stack(images[start : start + 16]) for start in range(0, len(images), 16))
    return [[output.numpy() for output in part(batch[..., None].astype(np.float32))] for batch in batches]


def auroc(negative, positive):
    """AUROC of two arrays of scores."""
    from sklearn.metrics import roc_auc_score

    return roc_auc_score(np.repeat([0, 1], [len(negative), len(positive)]), np.concatenate([negative, positive]))


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


def main():
    """Fit, score, print."""
    args = options()
    from medxray.backend import load_tensorflow

    load_tensorflow()
    import dataclasses

    import medxray
    from medxray.anomaly.config import AnomalyConfig
    from medxray.anomaly.padim import fit_padim
    from medxray.anomaly.patchcore import fit_patchcore
    from medxray.anomaly.patches_of_images import NORMAL, PatchSource
    from medxray.evaluation import own_manifest
    from medxray.inference import compiled
    from medxray.models.classifier import prefix
    from medxray.models.patch_detector import build_backbone, patch_layers
    from medxray.models.weights import load_weights
    from medxray.training.dataset import decode_manifest

    run = medxray.load_run(args.run)
    config = AnomalyConfig(**run.record["config"])
    _, images = decode_manifest(own_manifest(run), config, learned=run.classes[:1])
    rows, labels = images.rows, images.labels[images.rows["val"]]
    fitted_on = rows["train"][images.labels[rows["train"]] == 0]
    images = dataclasses.replace(images, rows={NORMAL: fitted_on, "val": rows["val"], "test": rows["test"]})
    backbone = build_backbone(config.arch, image_size=config.image_size, channels=config.channels)
    load_weights(backbone, config.arch, config.weights)
    source = PatchSource(backbone, images, config)
    part = compiled(prefix(backbone, patch_layers(config.arch)))
    rng = np.random.default_rng(args.seed)
    plain = images.source.pixels[rows["val"][labels == 0]][..., 0]
    kept = {kind: activations_of(part, [painted(image, kind, rng) for image in plain]) for kind in KINDS}
    for method in args.methods:
        for scaled in (False, True):
            begin = time.perf_counter()
            patches = source.patches(NORMAL, scaled=scaled)
            fit = fit_padim(patches, seed=args.seed) if method == "padim" else fit_patchcore(patches, seed=args.seed)
            scores = reductions(map_of(method, fit, source.patches("val", scaled=scaled)))
            changed = {}
            for kind, parts in kept.items():
                given = source.to_patches(lambda parts=parts: iter(parts), len(plain), scaled=scaled)
                changed[kind] = reductions(map_of(method, fit, given))
            words = "scaled" if scaled else "as they are"
            print(f"{method}, {words} ({time.perf_counter() - begin:.0f} s)", flush=True)
            for name, values in scores.items():
                cells = [f"{kind} {auroc(values[labels == 0], changed[kind][name]):.3f}" for kind in KINDS]
                known = auroc(values[labels == 0], values[labels == 1])
                print(f"  {name:<17} {'  '.join(cells)}  validation, labelled {known:.3f}", flush=True)


if __name__ == "__main__":
    main()
