#!/usr/bin/env python
"""Compares learning rates of an architecture in a mode, on unchanged and on shifted validation images.

Each rate trains a model on the same split with the same seed and the other options as they are by default. Judged are
the AUROC of validation images as they are, and its mean over one view of each of the six groups of shifts, whose family
and severity are drawn for each image. No test image is looked at. Brackets are 95 % intervals by patient; nothing here
says how much another seed changes.

    python scripts/choose_rates.py --data DIR --arch vgg16 --mode full --weights FILE --rates 5e-4,1e-4,3e-5,1e-5
"""

import argparse
import logging
import tempfile
import time

from training_options import add_training_options, training_values


def rates(text):
    """The values of --rates."""
    return [float(word) for word in text.split(",")]


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_training_options(parser)
    parser.add_argument("--rates", type=rates, required=True, metavar="RATE,...", help="Peak rates of the main stage.")
    return parser.parse_args()


def judged(fitted):
    """Dict of the figures of one training: clean and shifted AUROC, as `studies.tuning.objective.judge` gives them."""
    from medxray.studies.tuning.choices import OBJECTIVES
    from medxray.studies.tuning.objective import judge
    from medxray.studies.tuning.shifted import shifted_logits

    predictions = fitted.validation
    views = list(shifted_logits(fitted).values())
    return [judge(predictions, logits, OBJECTIVES["auroc"]) for logits in ([predictions.logits], views)]


def main():
    """Train with each rate and print the table."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    import keras

    from medxray import TrainConfig
    from medxray.run_kinds import KINDS
    from medxray.training import execution

    logging.getLogger("medxray").setLevel(logging.ERROR)
    values = training_values(args)
    print("| peak rate | AUROC, unchanged | AUROC, shifted | seconds |\n|---|---|---|---|", flush=True)
    for rate in args.rates:
        begun = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            config = TrainConfig(**values, learning_rate=rate, runs_dir=folder, name="run")
            figures = judged(execution.fit(config, KINDS[config.TYPE]))
        print(f"| {rate:g} | {' | '.join(map(text, figures))} | {time.perf_counter() - begun:.0f} |", flush=True)
        keras.backend.clear_session()


def text(figure):
    """A figure with its interval."""
    interval = "" if figure["ci95"] is None else " [{:.3f}, {:.3f}]".format(*figure["ci95"])
    return f"{figure['value']:.3f}{interval}"


if __name__ == "__main__":
    main()
