#!/usr/bin/env python
"""Would a model hang less on borders if it did not see them? Tries two remedies before they become options.

`mask-border` blacks the outer tenth of an image on each side; `lung-crop` cuts the image to the lung field that
`medxray.data.lungs` finds, with a margin, and leaves it whole where no lungs are found. For each, and for nothing, a
model is trained on copies of the training images that are changed so, from the same weights, split and seed. Without
training, `--run RUN` shows the changed images to a model that knows unchanged ones. Only validation patients are asked:

- all families of shifted views at severity 2, which are made first and changed then, as it would be in use;
- another image's border in place of the own, before the change, as in `medxray explain audit`;
- the heat of Grad-CAM in the outer tenth of what the model sees, which is that of the crop where there is one.

Differences are paired by patient. The threshold comes from the unshifted validation images, so balanced accuracies are
a little too good, all of them alike. Images are changed at the resolution of the model's input, and a crop is enlarged
again: an option that cuts from the file would keep more detail. Copies lie in a temporary folder until the end.

The border of training images is blacked after augmentation, as a mask in the model would do it; with `--before` it is
blacked before, so that augmentation moves it with its image. `--only` names the remedies to try beside nothing.

    python scripts/try_remedies.py --data DIR --weights auto --epochs 3 --limit 1500 --seed 0
    python scripts/try_remedies.py --run runs/latest
"""

import argparse
import contextlib
import dataclasses
import shutil
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
import remedies
from remedies import BATCH, MASK_BORDER, NOTHING, REMEDIES, accuracy_figures, auroc_difference, measured

COLUMNS = (
    "remedy",
    "AUROC, unshifted",
    "AUROC, shifted",
    "less nothing",
    "balanced accuracy, shifted",
    "less nothing",
    "heat in the border",
    "answers moved by another border",
    "left whole",
)


def options():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", metavar="DIR", help="Images to train on, as for `medxray train`; two classes.")
    source.add_argument("--run", metavar="RUN", help="A trained run of two classes; nothing is trained then.")
    parser.add_argument("--arch", default="efficientnet-lite0", help="[default: efficientnet-lite0]")
    parser.add_argument("--weights", default="auto", help="As for `medxray train`.  [default: auto]")
    parser.add_argument("--mode", default="full", help="As for `medxray train`.  [default: full]")
    parser.add_argument("--image-size", type=int, metavar="PX", help="[default: that of the architecture]")
    parser.add_argument("--epochs", type=int, default=3, metavar="N", help="[default: 3]")
    parser.add_argument("--limit", type=int, metavar="N", help="Images of all splits together.  [default: all]")
    parser.add_argument("--images", type=int, default=64, metavar="N", help="Of the audit, at most.  [default: 64]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="Of split, training and samples.")
    parser.add_argument("--only", choices=REMEDIES[1:], nargs="+", default=REMEDIES[1:], help="[default: all]")
    parser.add_argument("--before", action="store_true", help="Black borders before augmentation.")
    return parser.parse_args()


def write_copies(manifest, form, folder, chosen, *, before):
    """Write the training and validation images of a manifest under each remedy; test images are copied unread.

    Args:
        manifest: Manifest with splits.
        form: predict.input_form.InputForm of the model.
        folder: pathlib.Path, which gets a folder for each remedy with `images.csv` and `split.csv`.
        chosen: the remedies.
        before: black the borders of training images, too; else they are left as they are.

    Returns:
        (Manifest without the images that cannot be read, dict remedy -> in words how many images are left whole).
    """
    from medxray.data.left_out import report_left_out
    from medxray.data.manifest import Skipped

    fitted = manifest.table["split"].isin(("train", "val")).to_numpy()
    files, whole, skipped = manifest.files(), dict.fromkeys(chosen, 0), []
    training = (manifest.table["split"] == "train").to_numpy()
    rows = iter(np.flatnonzero(fitted))
    for batch in form.stream([files[row] for row in np.flatnonzero(fitted)], BATCH):
        for pixels, box, reason in zip(batch.pixels, batch.boxes, batch.reasons, strict=True):
            row = next(rows)
            if reason:
                skipped.append(Skipped(manifest.table["path"][row], reason))
                continue
            for remedy in chosen:
                now = NOTHING if remedy == MASK_BORDER and training[row] and not before else remedy
                whole[remedy] += _write_copy(folder / remedy / f"{row}.png", pixels, box, now)
    for remedy in chosen:
        for row in np.flatnonzero(~fitted):
            shutil.copyfile(files[row], folder / remedy / f"{row}{Path(files[row]).suffix}")
        _write_tables(manifest, fitted, {item.path for item in skipped}, folder / remedy)
    report_left_out(skipped, files=int(fitted.sum()))
    copies = int(fitted.sum()) - len(skipped)
    return manifest.without(skipped), {remedy: f"{count} of {copies}" for remedy, count in whole.items()}


def _write_copy(file, pixels, box, remedy):
    """Write one copy; returns whether it is left whole."""
    import cv2

    from medxray.explain.checks.perturbations import part_of

    part, reason = remedies.changed(part_of(pixels, box), remedy)
    file.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(file), part[..., ::-1]):
        raise SystemExit(f"Could not write {file}. Free some disk space, or set TMPDIR to another folder.")
    return bool(reason)


def _write_tables(manifest, fitted, skipped, folder):
    from medxray.data.manifest import write_split_csv

    files = zip(manifest.files(), fitted, strict=True)
    names = [f"{row}.png" if own else f"{row}{file.suffix}" for row, (file, own) in enumerate(files)]
    table = manifest.table.assign(path=names)[~manifest.table["path"].isin(skipped)].reset_index(drop=True)
    table.to_csv(folder / "images.csv", index=False)
    write_split_csv(dataclasses.replace(manifest, table=table, root=folder), folder / "split.csv")


def blacked_after_augmentation():
    """Context in which training images lose their border after they were augmented."""
    import tensorflow as tf

    from medxray.data.augment import Augment
    from medxray.metrics.map_concentration import border_mask

    augmented = Augment.call

    def blacked(self, images, parameters, training=False):
        kept = ~border_mask(tuple(images.shape[1:3]))
        return augmented(self, images, parameters, training=training) * tf.constant(kept[..., None], tf.float32)

    return mock.patch.object(Augment, "call", blacked)


def trained(folder, config, positive):
    """The Run of a model that is fitted on the copies in a folder; its test images are not asked."""
    from medxray import load_run
    from medxray.metrics.decision import fit_decisions
    from medxray.run_kinds import CLASSIFIER
    from medxray.training.checkpoint import save_model
    from medxray.training.execution import fit

    table = {"path_col": "path", "label_col": "label", "patient_col": "patient_id", "split_file": "split.csv"}
    table["split_file"] = str(folder / table["split_file"])
    places = {name: str(folder / name) for name in ("runs_dir", "saved_models_dir", "cache_dir")}
    own = {"data": str(folder / "images.csv"), "task": "folders", "positive": positive, "limit": None, "export": False}
    fitted = fit(dataclasses.replace(config, **own, **table, **places), CLASSIFIER)
    decision, _ = fit_decisions(fitted.validation)
    save_model(fitted.model, fitted.directory.model_file)
    fitted.directory.update_record(decision=decision.to_dict())
    return load_run(fitted.directory.path)


def table(results, whole, seed):
    """The lines of the Markdown table from dict remedy -> what `measured` returns, and remedy -> images left whole."""
    from medxray.metrics.bootstrap import percentile_interval

    lines = ["| " + " | ".join(COLUMNS) + " |", "|---" * len(COLUMNS) + "|"]
    base = results[NOTHING]
    base_value, base_samples = accuracy_figures(base, seed)
    for remedy, found in results.items():
        value, samples = accuracy_figures(found, seed)
        same = remedy == NOTHING
        more = "" if same else _figure(*auroc_difference(found["shifted"], base["shifted"]), "+")
        better = "" if same else _figure(value - base_value, percentile_interval(samples - base_samples), "+")
        cells = (
            remedy,
            _figure(found["clean"].value, found["clean"].interval()),
            _figure(found["shifted"].value, found["shifted"].interval()),
            more,
            _figure(value, percentile_interval(samples)),
            better,
            _figure(found["border_share"]["value"], found["border_share"]["ci95"]),
            f"{_figure(found['moved']['value'], found['moved']['ci95'])} of {found['moved']['n']}",
            whole[remedy],
        )
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def _figure(value, interval, sign=""):
    """A figure with its interval; one of width zero says nothing and is left out."""
    if value is None:
        return "unknown"
    ends = interval if interval and interval[0] < interval[1] else ()
    return f"{value:{sign}.3f}" + (f" [{', '.join(f'{end:{sign}.3f}' for end in ends)}]" if ends else "")


def by_training(args, folder):
    """(Dict remedy -> what `measured` returns, dict remedy -> images left whole), with a training for each remedy."""
    from medxray import TrainConfig
    from medxray.predict.input_form import InputForm
    from medxray.training.dataset import choose_manifest

    names = ("data", "arch", "weights", "mode", "image_size", "epochs", "limit", "seed")
    config = TrainConfig(**{name: getattr(args, name) for name in names}, augment_seed=args.seed)
    resolved = config.resolved()
    manifest = _of_two_classes(choose_manifest(resolved, positive=resolved.positive))
    form = InputForm((resolved.image_size,) * 2, resolved.channels, resolved.resize)
    chosen = (NOTHING, *args.only)
    manifest, whole = write_copies(manifest, form, folder, chosen, before=args.before)
    validation, results = manifest.subset("val"), {}
    for remedy in chosen:
        after = remedy == MASK_BORDER and not args.before
        with blacked_after_augmentation() if after else contextlib.nullcontext():
            run = trained(folder / remedy, config, manifest.positive)
        results[remedy] = measured(run, remedy, validation, images=args.images, seed=args.seed)
    return results, whole


def of_run(args):
    """The same for a trained run, which stays as it is."""
    from medxray import load_run
    from medxray.explain.checks.sample import read_sample
    from medxray.explain.mapped_sample import image_parts
    from medxray.runs.images import own_manifest

    run = load_run(args.run)
    validation = _of_two_classes(own_manifest(run, "val"))
    images = image_parts(read_sample(run, validation, images=len(validation), seed=args.seed))
    whole = {remedy: sum(bool(remedies.changed(image, remedy)[1]) for image in images) for remedy in REMEDIES}
    results = {remedy: measured(run, remedy, validation, images=args.images, seed=args.seed) for remedy in REMEDIES}
    return results, {remedy: f"{count} of {len(images)}" for remedy, count in whole.items()}


def _of_two_classes(manifest):
    if manifest.positive is None:
        raise SystemExit(f"Two classes are needed. {manifest.root} has {', '.join(manifest.classes)}.")
    return manifest


def main():
    """Print the table, what it is of, and the time that it took."""
    args, begin = options(), time.perf_counter()
    from medxray.errors import MedxrayError
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    try:
        with tempfile.TemporaryDirectory(prefix="medxray-remedies-") as folder:
            results, whole = of_run(args) if args.run else by_training(args, Path(folder))
    except MedxrayError as error:
        raise SystemExit(f"Error: {error}") from error
    print("\n".join(table(results, whole, args.seed)))
    found = results[NOTHING]
    how = f"{args.run}, not trained again" if args.run else f"{args.arch}, {args.epochs} epochs each, seed {args.seed}"
    print(
        f"\n{len(found['truth'])} validation images of {len(np.unique(found['patients']))} patients, "
        f"{len(found['right'])} shifted views of each at severity {remedies.SEVERITY}; {how}. "
        f"{time.perf_counter() - begin:.0f} seconds."
    )


if __name__ == "__main__":
    main()
