#!/usr/bin/env python
"""Compares variants of PaDiM and PatchCore without looking at a diseased image.

Opacities as in the synthetic phantoms are painted into the lungs of the normal validation images. A variant is as good
as its AUROC between these images and the same ones without; it is fitted on the normal training images. Variants: patch
features as they are or with root mean square 1 per layer and position, and how a map becomes the score of an image.

    python scripts/choose_patches.py RUN      (RUN: an anomaly run with method padim or patchcore, for data and weights)
"""

import argparse
import time

import cv2
import numpy as np

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


class Variants:
    """Patch features of a run's images in several variants."""

    def __init__(self, run, backbone, images, config):
        from medxray.anomaly.patches_of_images import PatchSource

        self.source = PatchSource(backbone, images, config)
        self.backbone, self.layers = backbone, run.architecture.stages[-3:-1]

    def of_set(self, name, scaled):
        """Patches of a set of images."""
        return self.patches(lambda: self.source.activations(name), len(self.source._images.rows[name]), scaled)

    def of_pixels(self, pixels, scaled):
        """Patches of uint8 images (n,h,w)."""
        import keras

        part = keras.Model(self.backbone.input, [self.backbone.get_layer(name).output for name in self.layers])
        kept = [part.predict(pixels[at : at + 16, ..., None].astype(np.float32), verbose=0)
                for at in range(0, len(pixels), 16)]  # fmt: skip
        return {scale: self.patches(lambda: iter(kept), len(pixels), scale) for scale in scaled}

    def patches(self, activations, count, scaled):
        """anomaly.patches.Patches from batches of activations."""
        import keras
        import tensorflow as tf

        from medxray.anomaly.patches import Patches
        from medxray.models.patch_features import patch_features

        inputs = [keras.Input(self.backbone.get_layer(name).output.shape[1:]) for name in self.layers]
        model = keras.Model(inputs, patch_features(inputs, scaled=scaled))
        forward = tf.function(lambda tensors: model(tensors, training=False), reduce_retracing=True)

        def batches():
            return (forward([tf.constant(part) for part in parts]).numpy() for parts in activations())

        return Patches(batches, count, *model.output_shape[1:])


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

    from sklearn.metrics import roc_auc_score

    import medxray
    from medxray.anomaly.config import AnomalyConfig
    from medxray.anomaly.padim import fit_padim
    from medxray.anomaly.patchcore import fit_patchcore
    from medxray.evaluation import own_manifest
    from medxray.models.patch_detector import build_backbone
    from medxray.models.weights import load_weights
    from medxray.training.dataset import decode_manifest

    run = medxray.load_run(args.run)
    config = AnomalyConfig(**run.record["config"])
    _, images = decode_manifest(own_manifest(run), config, learned=run.classes[:1])
    normal = {name: rows[images.labels[rows] == 0] for name, rows in images.rows.items()}
    images = dataclasses.replace(
        images, rows={"normal": normal["train"], "val": images.rows["val"], "test": images.rows["test"]}
    )
    backbone = build_backbone(config.arch, image_size=config.image_size, channels=config.channels)
    load_weights(backbone, config.arch, config.weights)
    variants = Variants(run, backbone, images, config)
    rng = np.random.default_rng(args.seed)
    plain = np.stack([images.source.pixels[row][..., 0] for row in normal["val"]])
    kinds = ("bacterial", "viral")
    changed = {kind: np.stack([painted(image, kind, rng) for image in plain]) for kind in kinds}
    sets = {name: variants.of_pixels(pixels, (False, True)) for name, pixels in {"": plain, **changed}.items()}
    for method in args.methods:
        for scaled in (False, True):
            begin = time.perf_counter()
            patches = variants.of_set("normal", scaled)
            fit = fit_padim(patches, seed=args.seed) if method == "padim" else fit_patchcore(patches, seed=args.seed)
            scores = {name: reductions(map_of(method, fit, found[scaled])) for name, found in sets.items()}
            words = 'scaled' if scaled else 'as they are'
            print(f"{method}, {words} ({time.perf_counter() - begin:.0f} s)", flush=True)
            for reduction, normals in scores[""].items():
                cells = []
                for kind in kinds:
                    values = np.concatenate([normals, scores[kind][reduction]])
                    truth = np.repeat([0, 1], len(plain))
                    cells.append(f"{kind} {roc_auc_score(truth, values):.3f}")
                print(f"  {reduction:<17} {'  '.join(cells)}", flush=True)


if __name__ == "__main__":
    main()
