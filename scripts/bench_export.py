#!/usr/bin/env python
"""What explanations add to a SavedModel: size of the graph, time to trace and write it, time to load it.

Models have random weights, a linear head and the default size of their architecture. Weights, which are stored once,
are not counted.

    python scripts/bench_export.py efficientnet-lite0 vgg16 densenet121
"""

import argparse
import tempfile
import time
from pathlib import Path

SETS = ("", "gradcam", "gradcam,cam", "gradcam,occlusion", "gradcam,cam,occlusion", "all")


def measured(model, row, methods, folder):
    """(Megabytes of the graph, seconds to trace and write, seconds to load) of a model with some methods."""
    import tensorflow as tf

    from medxray.classifier.serving import ClassifierServing
    from medxray.explain.methods import EXPORTED
    from medxray.explain.several import ALL, requests_for
    from medxray.export.serving import ServingSpec, save_serving
    from medxray.metrics.calibration import Calibration

    names = ",".join(EXPORTED) if methods == ALL else methods
    spec = ServingSpec(
        classes=("NORMAL", "PNEUMONIA"),
        threshold=0.0,
        calibration=Calibration(1.0, ()),
        size=(row.default_size, row.default_size),
        channels=1,
        resize="letterbox",
        architecture=row,
        explanations=requests_for(names) if names else (),
    )
    begin = time.perf_counter()
    save_serving(ClassifierServing(model, spec), folder)
    written = time.perf_counter()
    tf.saved_model.load(str(folder))
    loaded = time.perf_counter()
    return (folder / "saved_model.pb").stat().st_size / 1e6, written - begin, loaded - written


def main():
    """Print a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("arch", nargs="+", help="Architectures.")
    args = parser.parse_args()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.models.classifier import build_classifier
    from medxray.models.registry import architecture

    print("| architecture | signatures besides the usual three | graph, MB | trace and write, s | load, s |")
    print("|---|---|---|---|---|")
    for name in args.arch:
        row = architecture(name)
        model = build_classifier(name, image_size=row.default_size, channels=1, classes=2, units=0)
        with tempfile.TemporaryDirectory() as folder:
            measured(model, row, "", Path(folder))  # whatever the first one starts
        for methods in SETS:
            with tempfile.TemporaryDirectory() as folder:
                figures = measured(model, row, methods, Path(folder))
            print(f"| {name} | {methods or 'none'} | {' | '.join(f'{figure:.1f}' for figure in figures)} |", flush=True)


if __name__ == "__main__":
    main()
