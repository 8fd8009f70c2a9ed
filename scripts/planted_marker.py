#!/usr/bin/env python
"""Plants a marker in one of two classes that do not differ otherwise, trains, and asks heatmaps where it is.

The images are healthy phantoms, so the marker is all that tells the classes apart, and its place is known. Of the test
images that are rightly called marked it counts those whose brightest pixel lies on the marker, or within half a cell of
the heatmap from it (pointing game). By chance it is the share of the area.

    python scripts/planted_marker.py --out planted
    python scripts/planted_marker.py --out planted --arch efficientnet-lite0 --weights auto --image-size 224 --epochs 6
"""

import argparse
import json
from pathlib import Path

import numpy as np

CLASSES = ("PLAIN", "MARKED")
SEVERITY = 3  # of the family `marker` of shifted views: 15 % of the height


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="Images, masks, run and planted.json.")
    parser.add_argument("--patients", type=int, default=240, metavar="N", help="One image each.  [default: 240]")
    parser.add_argument("--arch", default="shallow-cnn", help="[default: shallow-cnn]")
    parser.add_argument("--weights", default="none", help="As for `medxray train`.  [default: none]")
    parser.add_argument("--mode", help="As for `medxray train`.  [default: scratch, with --weights full]")
    parser.add_argument("--image-size", type=int, default=64, metavar="PX", help="[default: 64]")
    parser.add_argument("--epochs", type=int, default=40, metavar="N", help="[default: 40]")
    parser.add_argument("--learning-rate", type=float, metavar="RATE", help="[default: 0.003, with --weights 0.0003]")
    parser.add_argument("--method", default="all", metavar="NAME[,NAME...]", help="Heatmaps to ask.  [default: all]")
    parser.add_argument("--layer", metavar="NAME[,NAME...]", help="Of the heatmaps.  [default: that of the network]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="Of images, training and samples.")
    return parser.parse_args()


def plant(folder, *, patients, size, seed):
    """Write phantoms of `size` pixels, every other one with a marker, and masks that show where it is.

    Args:
        folder: pathlib.Path; images go to `images`, masks of the same names to `masks`.
        patients: how many images.
        size: width of an image in pixels.
        seed: of the phantoms and markers.

    Returns:
        (CSV of the images with path, label and patient, folder of the masks).
    """
    import cv2

    from medxray.data.phantom.draw import render_phantom

    images, masks = folder / "images", folder / "masks"
    rows = ["path,label,patient"]
    for place in (images, masks):
        place.mkdir(parents=True, exist_ok=True)
    for number in range(patients):
        picture, _ = render_phantom("normal", size=size, patient_seed=(seed, number), image_seed=(seed, number, 1))
        mask = np.zeros_like(picture)
        if number % 2:
            picture, mask = with_marker(picture, number, seed)
        rows.append(f"images/{number:05d}.png,{CLASSES[number % 2]},{number}")
        cv2.imwrite(str(images / f"{number:05d}.png"), picture)
        cv2.imwrite(str(masks / f"{number:05d}.png"), mask)
    (folder / "images.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "images.csv", masks


def with_marker(picture, key, seed):
    """(A picture, uint8 (h,w), with a marker; uint8 (h,w), 255 in the box about it)."""
    from medxray.data.shifts.views import Shiftable

    view = Shiftable(picture[None, ..., None], [key], seed=seed).view("marker", SEVERITY).numpy()[0, ..., 0]
    marked = np.rint(view).astype(np.uint8)
    rows, columns = np.nonzero(marked != picture)
    mask = np.zeros_like(picture)
    mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] = 255
    return marked, mask


def trained(table, folder, args):
    """A Run that tells the two classes apart; its head is linear, so that every method can explain it."""
    from medxray import TrainConfig, train

    from_scratch = args.weights == "none"
    config = TrainConfig(
        data=str(table),
        path_col="path",
        label_col="label",
        patient_col="patient",
        task="folders",
        positive=CLASSES[1],
        arch=args.arch,
        weights=args.weights,
        mode=args.mode or ("scratch" if from_scratch else "full"),
        learning_rate=args.learning_rate or (3e-3 if from_scratch else 3e-4),
        batch_size=8,
        patience=args.epochs,
        dropout=0.0,
        deterministic=True,
        image_size=args.image_size,
        epochs=args.epochs,
        head_units=0,
        augment="none",
        seed=args.seed,
        runs_dir=str(folder / "runs"),
        saved_models_dir=str(folder / "saved_models"),
        name="planted",
        overwrite=True,
    )
    return train(config)


def pointing(run, sample, regions, method, *, layer, seed):
    """How often a method points at the marker: dict of n, hit_rate (value and ci95), chance and energy_inside.

    Args:
        run: the trained Run.
        sample: explain.checks.sample.CheckedImages.
        regions: explain.checks.regions.Regions, where the markers are.
        method: name of an explanation method.
        layer: of its maps, or None.
        seed: of the order of equal pixels.
    """
    from medxray.explain.checks.maps import MapFunction
    from medxray.explain.checks.perturbations import part_of
    from medxray.explain.checks.settings import setting_of
    from medxray.explain.layers import require_heat_layer
    from medxray.metrics.faithfulness import brightest_first
    from medxray.metrics.localisation import dilated, energy_inside, hits
    from medxray.metrics.shares import share

    explain = MapFunction(run, method, setting_of(method).options(run.input_size), layer=layer)
    maps = explain(sample.pixels, np.ones(len(sample), np.int32), lambda done: None)
    cells = require_heat_layer(run.model, layer or run.architecture.heat_layer)
    margin = [round(side / cell / 2) for side, cell in zip(run.input_size, cells, strict=True)]
    hit, chance, energy = [], [], []
    for at, (heat, box, region) in enumerate(zip(maps, sample.boxes, regions.of_image, strict=True)):
        heat, near = part_of(heat, box), dilated(region, margin)
        order = brightest_first(heat, np.random.default_rng([seed, at]))
        hit.append(bool(np.ptp(heat) > 0 and hits(order, near)))
        chance.append(near.mean())
        energy.append(energy_inside(heat, region))
    rate = share(np.array(hit), np.ones(len(hit), bool), sample.patients)
    found = {"n": len(hit), "hit_rate": {name: rate[name] for name in ("value", "ci95")}}
    return found | {"chance": float(np.mean(chance)), "energy_inside": float(np.mean(energy))}


def found_by_methods(run, masks, args):
    """(Dict method -> what `pointing` says of the test images that are rightly called marked; the accuracy)."""
    from medxray.explain.checks.regions import read_regions
    from medxray.explain.checks.sample import read_sample
    from medxray.explain.checks.scores import Scores
    from medxray.explain.checks.settings import chosen_methods
    from medxray.runs.images import own_manifest

    test = own_manifest(run, "test")
    sample = read_sample(run, test, images=len(test), seed=args.seed)
    called = run.decision.labels(np.concatenate([Scores(run).logits(batch) for batch in sample.batches()]))
    right = (called == sample.labels) & (sample.labels == 1)
    if right.sum() < 2:
        raise SystemExit(f"{right.sum()} test images are rightly called {CLASSES[1]}: train for more --epochs.")
    names = [file.stem for file, kept in zip(sample.files, right, strict=True) if kept]
    marked = test.where([file.stem in set(names) for file in test.files()])
    sample_of_marked = read_sample(run, marked, images=len(marked), seed=args.seed)
    regions = read_regions(run, sample_of_marked, masks=str(masks))
    methods = {
        name if layer is None else f"{name}, {layer}": pointing(
            run, sample_of_marked, regions, name, layer=layer, seed=args.seed
        )
        for layer in (args.layer.split(",") if args.layer else [None])
        for name in chosen_methods(args.method)
    }
    return methods, float((called == sample.labels).mean())


def experiment(folder, args):
    """Plant, train, ask and audit; returns what planted.json holds, a dict of JSON values."""
    from medxray.explain.audit.audit import AuditRequest, write_audit
    from medxray.system import storage

    table, masks = plant(folder, patients=args.patients, size=2 * args.image_size, seed=args.seed)
    run = trained(table, folder, args)
    methods, accuracy = found_by_methods(run, masks, args)
    audit, _ = write_audit(run, request=AuditRequest(seed=args.seed))
    found = {"arch": args.arch, "accuracy": accuracy, "methods": methods, "audit": audit["verdict"]}
    storage.write_json(folder / "planted.json", storage.plain(found))
    return found


def main():
    """Print a line for each method, and the verdict of the shortcut audit."""
    args = options()
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray.metrics.intervals import estimate_text

    found = experiment(args.out, args)
    print(f"{found['arch']}: accuracy {found['accuracy']:.3f}")
    for name, one in found["methods"].items():
        print(
            f"{name:<24} points at the marker in {estimate_text(one['hit_rate'])} of {one['n']} images "
            f"(by chance {one['chance']:.3f}); {one['energy_inside']:.3f} of the heat is on it"
        )
    print(json.dumps(found["audit"]))


if __name__ == "__main__":
    main()
