#!/usr/bin/env python
"""Times explanation methods in forward passes: processor seconds of one batch over those of the prediction alone.

Weights are random, and so are the images. Figures are medians of turns in which every method and the prediction, which
is folded as medxray computes it, has one call. Options of a method are its defaults.

    python scripts/bench_explain.py efficientnet-lite0 vgg16 --method gradcam --batch 32 --turns 5
"""

import argparse
import time

import numpy as np


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="+")
    parser.add_argument("--method", default="gradcam", help="names separated by commas")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--turns", type=int, default=5)
    return parser.parse_args()


def functions(args, name):
    """(dict: what is timed -> compiled function of images, images) for an architecture."""
    import tensorflow as tf

    from medxray.explain.maps import fixed_target
    from medxray.explain.methods import method_named
    from medxray.models.classifier import build_classifier
    from medxray.models.inference import compiled, trunk
    from medxray.models.registry import architecture

    model = build_classifier(name, image_size=args.size, channels=1, classes=2, units=0)
    spec = tf.TensorSpec((None, args.size, args.size, 1), tf.float32)
    found = {"prediction": compiled(trunk(model))}
    for method in args.method.split(","):
        row = method_named(method)
        explain = row.build(model, architecture(name).heat_layer if row.needs_layer else None, **row.chosen_options({}))
        found[method] = tf.function(
            lambda images, explain=explain: explain(images, fixed_target(1)), input_signature=[spec]
        )
    images = np.random.default_rng(0).uniform(0, 255, (args.batch, args.size, args.size, 1))
    return found, tf.constant(images, tf.float32)


def seconds(function, images):
    """Processor seconds of one call."""
    started = time.process_time()
    for output in function(images):
        output.numpy()
    return time.process_time() - started


def main():
    """Print the figures as a Markdown table."""
    args = options()
    print("| architecture | method | processor seconds | forward passes |\n|---|---|---|---|")
    for name in args.architectures:
        timed, images = functions(args, name)
        for function in timed.values():
            function(images)
        turns = [[seconds(function, images) for function in timed.values()] for _ in range(args.turns)]
        medians = np.median(turns, axis=0)
        for method, taken in zip(timed, medians, strict=True):
            print(f"| {name} | {method} | {taken:.2f} | {taken / medians[0]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
