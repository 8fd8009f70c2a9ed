#!/usr/bin/env python
"""Times the shifted views at severity 2 on a phantom: ms of processor time for an image, of each family and together.

TF_NUM_INTRAOP_THREADS=1 TF_NUM_INTEROP_THREADS=1 python scripts/bench_shifts.py --size 224
"""

import argparse
import statistics
import time


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, default=224, metavar="PX", help="Height and width of the images.")
    parser.add_argument("--batch", type=int, default=32, metavar="N", help="Images in a batch.")
    parser.add_argument("--passes", type=int, default=5, metavar="N", help="The median of so many is told.")
    return parser.parse_args()


def milliseconds(view, passes):
    """Median processor time of a call, after one that does not count."""
    view()
    times = []
    for _ in range(passes):
        begin = time.process_time()
        view()
        times.append(1000 * (time.process_time() - begin))
    return statistics.median(times)


def main():
    """Time every family and print one line for each."""
    args = options()
    import cv2
    import numpy as np

    from medxray.data.phantom.draw import render_phantom
    from medxray.data.shifts.families import FAMILIES
    from medxray.data.shifts.views import Shiftable
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    image, _ = render_phantom("bacterial", size=args.size, patient_seed=5, image_seed=5)
    image = cv2.resize(image, (args.size, args.size))
    batch = Shiftable(np.repeat(image[None, ..., None], args.batch, axis=0), range(args.batch))
    total = 0.0
    for name in FAMILIES:
        each = milliseconds(lambda name=name: batch.view(name, 2).numpy(), args.passes) / args.batch
        total += each
        print(f"{name:16} {each:6.2f} ms")
    print(f"{'all':16} {total:6.2f} ms")


if __name__ == "__main__":
    main()
