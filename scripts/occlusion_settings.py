#!/usr/bin/env python
"""Counts how often occlusion with other patches and covers points at the opacities of phantoms.

Settings are compared on validation images, so that none is chosen on those that `medxray explain evaluate` reports.

    medxray data phantom phantoms --patients 400 --size 224 --seed 1
    medxray train --arch efficientnet-lite0 --mode full --data phantoms
    python scripts/occlusion_settings.py runs/latest
"""

import argparse

import numpy as np

SETTINGS = [
    {"patch": patch, "stride": 16, "coarse": 1, "fill": fill, "sizes": sizes}
    for fill in ("mean", "zero", "blur")
    for patch, sizes in ((32, 1), (48, 1), (32, 2))
]


def main():
    """Print one line for each setting."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="Trained on phantoms with masks.")
    parser.add_argument("--images", type=int, default=64, metavar="N", help="[default: 64]")
    args = parser.parse_args()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import load_run
    from medxray.evaluation.evaluate import part_of_data
    from medxray.explain.checks.bench import Bench
    from medxray.explain.checks.figures import HIT_RATE
    from medxray.explain.checks.maps import MapFunction
    from medxray.explain.checks.regions import read_regions
    from medxray.explain.checks.sample import read_sample

    run = load_run(args.run)
    part, _, _ = part_of_data(run, None, "val", exclude_known=False)
    sample = read_sample(run, part, images=args.images, seed=0)
    regions = read_regions(run, sample)
    if regions is None:
        parser.error(f"the images of {args.run} have no masks beside them. Train on `medxray data phantom`.")
    bench = Bench(run, sample, regions, seed=0)
    for options in SETTINGS:
        maps = MapFunction(run, "occlusion", options)(sample.pixels, bench.answers.targets, lambda done: None)
        hits = bench.measure(maps, lambda done: None).per_image[HIT_RATE]
        words = ", ".join(f"{name} {value}" for name, value in options.items())
        print(f"{words}: {np.nansum(hits):.0f} of {np.isfinite(hits).sum()} hit", flush=True)


if __name__ == "__main__":
    main()
