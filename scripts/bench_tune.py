#!/usr/bin/env python
"""Times the trials of a search that share the cache of frozen activations beside trials that begin with an empty one.

Both searches have the same data, seed and options, and so draw the same trials; each runs in a process of its own.
Prints the seconds of each trial, their mean without and with the shared cache, the ratio, and the values, which show
whether sharing changes any.

    python scripts/bench_tune.py --data DIR --weights FILE --limit 400 --trials 3
"""

import argparse
import json
import subprocess
import sys
import tempfile


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--weights", default="auto")
    parser.add_argument("--arch", default="vgg16")
    parser.add_argument("--mode", default="extract", choices=["extract", "finetune"])
    parser.add_argument("--limit", type=int, default=400)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--trials", type=int, default=3)
    parser.add_argument("--image-size", type=int, default=224)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variant", choices=["shared", "own"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    return parser.parse_args()


def searched(args):
    """Run the search of a variant, trial after trial; returns a list of (seconds, value)."""
    import pandas as pd

    from medxray import TrainConfig
    from medxray.runs.tuning_directory import TuningDir
    from medxray.studies.tuning.space import search_space
    from medxray.studies.tuning.tune import begin

    for number in range(1, args.trials + 1):
        config = TrainConfig(
            arch=args.arch,
            mode=args.mode,
            data=args.data,
            weights=args.weights,
            limit=args.limit,
            epochs=args.epochs,
            patience=args.epochs,
            image_size=args.image_size,
            seed=args.seed,
            precision="float32",
            name="search",
            runs_dir=f"{args.folder}/runs",
            cache_dir=f"{args.folder}/cache" if args.variant == "shared" else f"{args.folder}/cache-{number}",
        )
        begin(config, search_space(["learning-rate,dropout,l2"], config), trials=number, pruning=False)
    table = pd.read_csv(TuningDir(f"{args.folder}/runs/search").trials_file)
    return table[["seconds", "value"]].to_numpy().tolist()


def measure(variant):
    """Run one variant in a process of its own; returns a list of (seconds, value)."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, __file__, *sys.argv[1:], "--variant", variant, "--folder", folder]
        output = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    return json.loads(output.strip().splitlines()[-1])


def report(args):
    """Measure both variants and print the table."""
    print(f"{args.arch} {args.mode}, {args.limit} images, {args.epochs} epochs, {args.trials} trials, seconds")
    print("cache         " + "".join(f"  trial {number}" for number in range(args.trials)) + "      mean  AUROC")
    means = {}
    for variant, words in (("own", "one for each"), ("shared", "shared")):
        seconds, values = zip(*measure(variant), strict=True)
        means[variant] = sum(seconds) / len(seconds)
        cells = "".join(f"{each:9.1f}" for each in seconds)
        print(f"{words:<14}{cells}{means[variant]:10.1f}  {', '.join(f'{value:.4f}' for value in values)}", flush=True)
    print(f"Without the shared cache a trial takes {means['own'] / means['shared']:.2f} times as long.")


def main():
    """Measure, or be one of the measured processes."""
    args = options()
    if args.variant is None:
        report(args)
        return
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    print(json.dumps(searched(args)))


if __name__ == "__main__":
    main()
