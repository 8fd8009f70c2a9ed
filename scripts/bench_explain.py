#!/usr/bin/env python
"""Times explanation methods beside the prediction alone and beside tf-keras-vis, with one model and the same images.

Weights are random, and so are the images. A method and the prediction, which is folded as medxray computes it, have one
call a turn with the whole batch; tf-keras-vis, where it has the method, is called with one image at a time, as its
examples do, for `--reference-images` of them. Options of a method are its defaults. Images per second are of the wall
clock, forward passes are processor seconds over those of the prediction; both are medians of the turns.

    python scripts/bench_explain.py efficientnet-lite0 vgg16 --method gradcam --batch 32 --turns 5
    python scripts/bench_explain.py efficientnet-lite0 --method all --batch 4 --turns 1
"""

import argparse
import contextlib
import io
import time
import warnings

import numpy as np

COLUMNS = ("architecture", "method", "images/s", "forward passes", "tf-keras-vis, images/s")


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("architectures", nargs="+")
    parser.add_argument("--method", default="gradcam", help="names separated by commas, or all")
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--reference-images", type=int, default=4, help="for tf-keras-vis; 0 leaves it out")
    return parser.parse_args()


def prepared(args, name):
    """(A model with random weights, its heat layer, images float32 (N,H,W,1)) of an architecture."""
    import tensorflow as tf

    from medxray.models.classifier import build_classifier
    from medxray.models.registry import architecture

    model = build_classifier(name, image_size=args.size, channels=1, classes=2, units=0)
    images = np.random.default_rng(0).uniform(0, 255, (args.batch, args.size, args.size, 1))
    return model, architecture(name).heat_layer, tf.constant(images, tf.float32)


def functions(model, layer, methods):
    """Dict: what is timed -> compiled function of images; the prediction first."""
    import tensorflow as tf

    from medxray.explain.maps import fixed_target
    from medxray.models.inference import compiled, trunk

    spec = tf.TensorSpec((None, *model.input.shape[1:]), tf.float32)
    found = {"prediction": compiled(trunk(model))}
    for row in methods:
        explain = row.build(model, layer if row.needs_layer else None, **row.chosen_options({}))
        found[row.name] = tf.function(
            lambda images, explain=explain: explain(images, fixed_target(1)), input_signature=[spec]
        )
    return found


def reference_functions(model, layer):
    """Dict name of a method -> function of images that lets tf-keras-vis compute its maps."""
    import keras
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.scorecam import Scorecam

    from medxray.explain.maps import fixed_target, target_scores
    from medxray.explain.methods import method_named

    network = keras.Model(model.input, model.get_layer("logits").output)
    smooth = method_named("smoothgrad").chosen_options({})

    def score(logits):
        return target_scores(logits, fixed_target(1))

    def by_layer(kind):
        explainer = kind(network, clone=False)
        return lambda images: explainer(score, images, penultimate_layer=layer, seek_penultimate_conv_layer=False)

    def by_pixels(**how):
        explainer = Saliency(network, clone=False)
        return lambda images: explainer(score, images, **how)

    return {
        "gradcam": by_layer(Gradcam),
        "gradcam++": by_layer(GradcamPlusPlus),
        "layercam": by_layer(Layercam),
        "scorecam": by_layer(Scorecam),
        "saliency": by_pixels(),
        "smoothgrad": by_pixels(smooth_samples=smooth["samples"], smooth_noise=smooth["noise"]),
    }


def seconds(function, images):
    """(Processor seconds, seconds) of one call."""
    started = time.process_time(), time.perf_counter()
    for output in function(images):
        np.asarray(output)
    return time.process_time() - started[0], time.perf_counter() - started[1]


def reference_rate(function, images, turns):
    """Images per second of a function that is called with one image at a time; the first image warms it up.

    What tf-keras-vis lets Keras print and warn of is not shown.
    """
    single = [images[at : at + 1] for at in range(len(images))]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        function(single[0])
        return 1 / np.median([seconds(function, image)[1] for _ in range(turns) for image in single])


def rows(args, name, methods):
    """Cells of the table for an architecture, a list for each thing timed."""
    model, layer, images = prepared(args, name)
    timed = functions(model, layer, methods)
    reference = reference_functions(model, layer) if args.reference_images else {}
    for function in timed.values():
        function(images)
    turns = [[seconds(function, images) for function in timed.values()] for _ in range(args.turns)]
    medians = np.median(turns, axis=0)
    for method, (processor, clock) in zip(timed, medians, strict=True):
        cells = [name, method, f"{len(images) / clock:.2f}", f"{processor / medians[0][0]:.2f}"]
        other = reference.get(method)
        rate = None if other is None else reference_rate(other, images[: args.reference_images], args.turns)
        yield [*cells, "-" if rate is None else f"{rate:.2f}"]


def main():
    """Print the figures as a Markdown table."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.explain.methods import METHODS, method_named

    methods = list(METHODS.values()) if args.method == "all" else [method_named(one) for one in args.method.split(",")]
    print(f"| {' | '.join(COLUMNS)} |\n{'|---' * len(COLUMNS)}|")
    for name in args.architectures:
        for cells in rows(args, name, methods):
            print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
