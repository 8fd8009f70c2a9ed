#!/usr/bin/env python
"""Times training with the frozen-prefix cache beside plain Keras on the same split, epochs and batch size.

Plain Keras is what a user writes otherwise: one model with Keras' augmentation layers inside, the frozen layers
recomputed in every epoch, images decoded once and kept in memory. Each variant runs in a process of its own with an
empty cache. Prints seconds by phase, the ratio of their sums (evaluation on test images left out of both) and the AUROC
on the same test images.

    python scripts/bench_training.py --data DIR --weights FILE --limit 800 --epochs 10 --head-epochs 3
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PHASES = ("data", "model", "prefix", "head", "main")


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="auto")
    parser.add_argument("--arch", default="vgg16")
    parser.add_argument("--modes", nargs="+", default=["finetune", "extract"], choices=["finetune", "extract"])
    parser.add_argument("--limit", type=int, default=800)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--head-epochs", type=int, default=3)
    parser.add_argument("--views", type=int, default=2)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variant", choices=["cached", "plain"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    parser.add_argument("--mode", help=argparse.SUPPRESS)
    return parser.parse_args()


def configuration(args):
    """The TrainConfig both variants train."""
    from medxray import TrainConfig

    return TrainConfig(
        arch=args.arch,
        mode=args.mode,
        data=args.data,
        weights=args.weights,
        limit=args.limit,
        epochs=args.epochs,
        head_epochs=args.head_epochs if args.mode == "finetune" else None,
        views=args.views,
        image_size=args.image_size,
        seed=args.seed,
        patience=args.epochs + args.head_epochs,
        export=False,
        runs_dir=f"{args.folder}/runs",
        cache_dir=f"{args.folder}/cache",
    ).resolved()


def cached(args):
    """Train with the cache; returns (seconds by phase, test AUROC)."""
    from medxray import train

    run = train(configuration(args))
    metrics = json.loads((run.path / "metrics.json").read_text())
    return run.record["seconds"], metrics["splits"]["test"]["auroc"]


def plain(args):
    """Train the same classifier by `fit` alone; returns (seconds by phase, test AUROC)."""
    import keras
    import tensorflow as tf
    from sklearn.metrics import roc_auc_score

    from medxray.models.classifier import build_classifier, freeze_before
    from medxray.models.weights import load_weights
    from medxray.training.dataset import choose_manifest
    from medxray.training.losses import balanced_class_weights
    from medxray.training.modes import plan_stages
    from medxray.training.schedules import learning_rate

    config, seconds = configuration(args), {}
    keras.utils.set_random_seed(config.seed)
    begin = time.perf_counter()
    manifest = choose_manifest(config, positive=config.positive)

    def dataset(split):
        part = manifest.subset(split)
        pairs = tf.data.Dataset.from_tensor_slices(([str(file) for file in part.files()], part.labels()))

        def load(path, label):
            image = tf.io.decode_image(tf.io.read_file(path), channels=1, expand_animations=False)
            image = tf.image.resize(image, (config.image_size, config.image_size), antialias=True)
            return tf.ensure_shape(image, (config.image_size, config.image_size, 1)), label

        return pairs.map(load, num_parallel_calls=tf.data.AUTOTUNE).cache(), part.labels()

    (train, truth), (validation, _), (test, test_truth) = (dataset(split) for split in ("train", "val", "test"))
    seconds["data"] = time.perf_counter() - begin
    begin = time.perf_counter()
    model = build_classifier(config.arch, image_size=config.image_size, channels=1, classes=2, seed=config.seed)
    load_weights(model, config.arch, config.weights)
    layers = [
        keras.layers.RandomRotation(10 / 360, fill_mode="constant"),
        keras.layers.RandomTranslation(0.06, 0.06, fill_mode="constant"),
        keras.layers.RandomZoom(0.12, 0.12, fill_mode="constant"),
        keras.layers.RandomContrast(0.25, value_range=(0, 255)),
        keras.layers.RandomBrightness(0.1, value_range=(0, 255)),
    ]
    image = keras.Input(model.input_shape[1:])
    augmented = image
    for layer in layers:
        augmented = layer(augmented)
    trained = keras.Model(image, model(augmented))
    weights = dict(enumerate(balanced_class_weights(truth, 2).tolist()))
    seconds["model"] = time.perf_counter() - begin
    batches = train.shuffle(len(truth), seed=config.seed).batch(config.batch_size).prefetch(2)
    for stage in plan_stages(config):
        begin = time.perf_counter()
        freeze_before(model, stage.cut, train_normalization=False, l2=config.l2)
        steps = stage.epochs * -(-len(truth) // config.batch_size)
        trained.compile(
            keras.optimizers.Adam(learning_rate(config.schedule, stage.learning_rate, steps=steps)),
            "sparse_categorical_crossentropy",
            metrics=["accuracy"],
            jit_compile=False,
        )
        best = keras.callbacks.EarlyStopping("val_loss", patience=stage.epochs, restore_best_weights=True)
        data = validation.batch(config.batch_size)
        trained.fit(
            batches, validation_data=data, epochs=stage.epochs, class_weight=weights, callbacks=[best], verbose=0
        )
        seconds[stage.name] = time.perf_counter() - begin
    score = model.predict(test.map(lambda image, label: image).batch(config.batch_size), verbose=0)[:, 1]
    return seconds, {"value": float(roc_auc_score(test_truth, score)), "ci95": None}


def measure(args, mode, variant):
    """Run one variant in a process of its own; returns (seconds by phase, AUROC)."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, *sys.argv[1:], "--variant", variant, "--mode", mode, "--folder", folder]
        output = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def report(args):
    """Measure every mode both ways and print the table."""
    print(f"{args.arch}, {args.limit} images, {args.epochs} epochs, head {args.head_epochs}, views {args.views}")
    print("mode      variant " + "".join(f"{phase:>9}" for phase in PHASES) + "      sum  test AUROC")
    for mode in args.modes:
        sums = {}
        for variant in ("plain", "cached"):
            seconds, auroc = measure(args, mode, variant)
            sums[variant] = sum(seconds.get(phase, 0) for phase in PHASES)
            cells = "".join(f"{seconds.get(phase, 0):9.1f}" for phase in PHASES)
            print(f"{mode:<9} {variant:<7} {cells}{sums[variant]:9.1f}  {auroc['value']:.3f}", flush=True)
        print(f"{mode:<9} plain Keras takes {sums['plain'] / sums['cached']:.2f} times as long", flush=True)


def main():
    """Measure, or be one of the measured processes."""
    args = options()
    if args.variant is None:
        report(args)
        return
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    Path(args.folder).mkdir(exist_ok=True)
    seconds, auroc = {"cached": cached, "plain": plain}[args.variant](args)
    print(json.dumps([seconds, auroc]))


if __name__ == "__main__":
    main()
