#!/usr/bin/env python
"""Measures what the input gate of a run refuses: images that are no X-rays, changed X-rays, and X-rays.

Makes and collects the images, asks `Run.predict`, and prints a Markdown table with 95 % Wilson intervals. Nothing is
fitted or chosen here. Photographs are those that scikit-image and scikit-learn bring along, and those of --photographs:
scipy does not bring its two along any more.

    python scripts/check_gate.py runs/vgg16-finetune --also originals --also dicom --photographs folder
"""

import argparse
import collections
import json
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np

SIDE, EACH = 512, 20
PHANTOM_SIZES = 256, 512, 1024
BUNDLED = {
    "photographs, colour": "astronaut chelsea coffee hubble_deep_field ihc motorcycle_left motorcycle_right retina "
    "rocket",
    "photographs, grey": "brick camera cell clock_motion coins grass gravel microaneurysms moon horse",
    "pages of text": "page text",
    "phantom of Shepp and Logan": "phantom",
}
CHANGES = {
    "inverted": (lambda x: 255 - x, "looks inverted"),
    "upside down (turned by 180 degrees)": (lambda x: x[::-1, ::-1], "looks upside down"),
    "upside down (mirrored)": (lambda x: x[::-1], "looks upside down"),
    "turned left": (lambda x: np.rot90(x), "looks rotated by 90 degrees"),
    "turned right": (lambda x: np.rot90(x, -1), "looks rotated by 90 degrees"),
    "inverted and turned left": (lambda x: 255 - np.rot90(x), "looks inverted and rotated by 90 degrees"),
    "inverted and turned by 180 degrees": (lambda x: 255 - x[::-1, ::-1], "looks inverted and upside down"),
}


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN")
    parser.add_argument("--also", action="append", default=[], metavar="DIR", help="Further X-rays, to be accepted.")
    parser.add_argument("--photographs", action="append", default=[], metavar="DIR", help="Further, to be refused.")
    parser.add_argument("--changed", type=int, default=100, help="How many test X-rays are changed in each way.")
    parser.add_argument("--test", type=int, help="How many test X-rays are judged as they are.  [default: all]")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path, help="Also write the answers of each image to this file.")
    return parser.parse_args()


def noise(rng):
    """Six kinds of noise, uint8 (SIDE,SIDE), EACH of every kind."""
    shape, distance = (SIDE, SIDE), np.hypot(*np.meshgrid(*[np.fft.fftfreq(SIDE)] * 2)) + 1 / SIDE
    for _ in range(EACH):
        white = rng.normal(size=shape)
        coarse = cv2.resize(rng.uniform(0, 255, (8, 8)), shape, interpolation=cv2.INTER_CUBIC)
        yield "noise, uniform", rng.uniform(0, 255, shape)
        yield "noise, normal", 127 + 40 * white
        yield "noise, black and white", 255.0 * (white > 0)
        yield "noise, 8 x 8 smooth", coarse
        yield "noise, 16 x 16 blocks", np.kron(rng.uniform(0, 255, (16, 16)), np.ones((SIDE // 16,) * 2))
        pink = np.real(np.fft.ifft2(np.fft.fft2(white) / distance))
        yield "noise, 1/f", 127 + 50 * (pink - pink.mean()) / pink.std()


def plain(rng):
    """Blank images and gradients."""
    for value in np.linspace(0, 255, EACH):
        yield "blank", np.full((SIDE, SIDE), value)
    y, x = np.mgrid[-1 : 1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    for angle in np.linspace(0, 2 * np.pi, EACH, endpoint=False):
        ramp = np.cos(angle) * x + np.sin(angle) * y
        yield "gradient, straight", 127 + 127 * ramp / np.abs(ramp).max()
        distance = np.hypot(x - rng.uniform(-0.5, 0.5), y - rng.uniform(-0.5, 0.5))
        around = 255 * distance / distance.max()
        yield "gradient, round", around if rng.random() < 0.5 else 255 - around


def written(rng):
    """Pages of text drawn with OpenCV, every third white on black."""
    words = "the lungs are clear heart size normal no effusion seen patient stable follow up in two weeks".split()
    for number in range(EACH):
        page = np.full((int(SIDE * rng.uniform(0.8, 1.5)), SIDE), 255, np.uint8)
        scale, font = rng.uniform(0.4, 1.3), [cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_COMPLEX][number % 2]
        step = int(36 * scale)
        for base in range(step + 20, page.shape[0] - 20, step):
            line = " ".join(rng.choice(words, 14))
            cv2.putText(page, line, (20, base), font, scale, 20, 1 + int(scale), cv2.LINE_AA)
        page[:, -20:] = 255
        yield "pages of text", 255 - page if number % 3 == 2 else page


def bundled():
    """Photographs, pages and a phantom inside the wheels of scikit-image and scikit-learn: (kind, path)."""
    import skimage.data
    import sklearn.datasets

    folder = Path(skimage.data.__file__).parent
    for kind, names in BUNDLED.items():
        for name in names.split():
            yield kind, next(folder.glob(f"{name}.*[gf]"))
    for path in sorted((Path(sklearn.datasets.__file__).parent / "images").glob("*.jpg")):
        yield "photographs, colour", path


def faces():
    """The 200 small grey cuttings, half of them faces, that scikit-image brings along."""
    import skimage.data

    cuttings = np.load(Path(skimage.data.__file__).parent / "lfw_subset.npy", allow_pickle=False)
    for cutting in cuttings:
        yield "faces and other cuttings, 25 x 25", 255 * np.asarray(cutting, np.float64)


def phantoms(folder, seed):
    """Synthetic chests of `medxray data phantom`, of three sizes."""
    from medxray.data.phantom.draw import generate_phantoms

    for size in PHANTOM_SIZES:
        for path in generate_phantoms(folder / f"phantoms-{size}", patients=30, size=size, seed=seed + 2000 + size):
            yield f"phantoms, {size} pixels", path


def changed(files, count, rng):
    """Test X-rays, inverted and turned: (kind, picture)."""
    for file in rng.permutation(np.array(files, object))[:count]:
        pixels = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
        for kind, (change, _) in CHANGES.items():
            yield kind, change(pixels)


def gather(run, args, folder):
    """All images as {group: [(kind, path)]}."""
    import pandas as pd

    rng = np.random.default_rng(args.seed)
    table = pd.read_csv(run.directory.split_file)
    test = [f"{run.record['data']['root']}/{path}" for path in table[table["split"] == "test"]["path"]]
    drawn = [*noise(rng), *plain(rng), *written(rng), *faces()]
    other = [*_stored(drawn, folder / "other"), *bundled()]
    other += [*args.photographs, *phantoms(folder, args.seed)]
    xrays = [("test X-rays", file) for file in rng.permutation(np.array(test, object))[: args.test]]
    turned = list(_stored(changed(test, args.changed, rng), folder / "changed"))
    return {"no X-rays": once(other), "changed X-rays": turned, "X-rays": once([*xrays, *args.also])}


def further(places, kind):
    """The images in folders: [(kind with the name of the folder in it, path)]. The script ends where there is none."""
    from medxray.errors import DataError
    from medxray.predict.inputs import expand_inputs

    found = []
    for place in places:
        try:
            files = expand_inputs([place])
        except DataError as error:
            sys.exit(str(error))
        if files == [Path(place)] and not files[0].exists():
            sys.exit(f"There is no folder {place}.")
        found += [(kind.format(Path(place).resolve().name), file) for file in files]
    return found


def once(images):
    """[(kind, path)] with each file once, as the first kind that it came as."""
    found = {}
    for kind, file in images:
        found.setdefault(Path(file).resolve(), (kind, file))
    return list(found.values())


def _stored(pictures, folder):
    folder.mkdir()
    for number, (kind, pixels) in enumerate(pictures):
        file = folder / f"{number:05}.png"
        cv2.imwrite(str(file), np.clip(np.round(pixels), 0, 255).astype(np.uint8))
        yield kind, file


def judge(run, images):
    """The answers for [(kind, path)] as a table with the column kind."""
    table = run.predict([path for _, path in images])
    for row in table[table["error"] != ""].itertuples():
        sys.exit(f"{row.path}: {row.error}")
    return table[["path", "gate_score", "in_distribution", "gate_reason"]].assign(kind=[kind for kind, _ in images])


def row_of(name, part):
    """One line of the printed table."""
    from medxray.metrics.intervals import wilson

    refused = int((~part["in_distribution"].astype(bool)).sum())
    low, high = wilson(refused, len(part))
    wanted = [CHANGES[kind][1] if kind in CHANGES else None for kind in part["kind"]]
    right = [reason == want for reason, want in zip(part["gate_reason"], wanted, strict=True) if want]
    named = f"{100 * np.mean(right):.1f} %" if right else ""
    reasons = collections.Counter(reason for reason in part["gate_reason"] if reason).most_common(2)
    said = ", ".join(f"{reason} {count}" for reason, count in reasons)
    share = f"{100 * refused / len(part):.1f} % [{100 * low:.1f}, {100 * high:.1f}]"
    return f"| {name} | {len(part)} | {refused} | {share} | {named} | {said} |"


def main():
    """Print the figures of a run's gate."""
    args = options()
    args.photographs = further(args.photographs, "further photographs")
    args.also = further(args.also, "X-rays in {}")
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    import pandas as pd

    import medxray

    run = medxray.load_run(args.run)
    if run.gate is None:
        sys.exit(f"{run.path} has no gate. Fit one with: medxray gate {run.path}")
    print("| images | n | refused | share, 95 % interval | right reason | most frequent reasons |")
    print("|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        tables = {}
        for group, images in gather(run, args, Path(folder)).items():
            tables[group] = judge(run, images)
            for kind, part in tables[group].groupby("kind", sort=False):
                print(row_of(kind, part))
            print(row_of(f"**{group}, all**", tables[group]), flush=True)
    wanted = pd.concat([tables["no X-rays"], tables["changed X-rays"]])
    print(row_of("**to be refused, all**", wanted))
    shares = 1 - wanted["in_distribution"].astype(bool).groupby(wanted["kind"]).mean()
    print(f"\nMean share refused over the {len(shares)} kinds: {100 * shares.mean():.1f} %")
    if args.json:
        records = [{"group": group, **row} for group, table in tables.items() for row in table.to_dict("records")]
        args.json.write_text(json.dumps(records, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
