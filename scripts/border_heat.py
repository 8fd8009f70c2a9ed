#!/usr/bin/env python
"""How much of the heat of Grad-CAM lies in the outer tenth of the test images, with intervals by patient.

A map that is the same everywhere has .36 there. Constant maps have no heat and are counted apart.

    python scripts/border_heat.py RUN [RUN ...]
"""

import argparse


def shares_of(path, limit):
    """Border shares of the test images of a run, and their patients: two arrays."""
    import numpy as np

    from medxray import load_run
    from medxray.explain.explainer import ExplainRequest
    from medxray.explain.heatmaps import iterate_heatmaps
    from medxray.explain.overlay import crop_to_image
    from medxray.metrics.map_concentration import border_share
    from medxray.runs.images import own_manifest

    run = load_run(path)
    test = own_manifest(run, "test")
    rows = np.sort(np.random.default_rng(0).permutation(len(test.table))[:limit])
    files = [test.root / name for name in test.table["path"].to_numpy()[rows]]
    found = list(iterate_heatmaps(run, files, ExplainRequest()))
    for one in found:
        if one.error:
            print(f"left out: {one.name}: {one.error}")
    read = [not one.error for one in found]
    heatmaps = [one.result[0] for one in found if not one.error]
    shares = [border_share(crop_to_image(heatmap.heatmap, heatmap.box)) for heatmap in heatmaps]
    return np.array(shares), test.patients()[rows][read]


def main():
    """Print a line for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--limit", type=int, metavar="N", help="A sample of N test images, drawn by seed 0.")
    args = parser.parse_args()
    import numpy as np

    from medxray.metrics.bootstrap import bootstrap, percentile_interval
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    for path in args.runs:
        shares, patients = shares_of(path, args.limit)
        known = np.isfinite(shares)
        values, group = shares[known], np.zeros(known.sum(), int)

        def mean(weights, values=values):
            return {"share": weights @ values / weights.sum(axis=1)}

        low, high = percentile_interval(bootstrap(mean, patients[known], group)["share"])
        print(
            f"{path}: {values.mean():.3f} [{low:.3f}, {high:.3f}] of the heat in the outer tenth, "
            f"{known.sum()} images of {len(np.unique(patients[known]))} patients, {np.sum(~known)} without heat"
        )


if __name__ == "__main__":
    main()
