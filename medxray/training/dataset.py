"""From a configuration to the images a run trains on, with everything about them on record."""

import itertools

import numpy as np

from medxray.data.augment import policy
from medxray.data.images.array_images import is_array_file
from medxray.data.images.decode import DECODING
from medxray.data.layouts.against_normal import ABNORMAL_NEEDED
from medxray.data.layouts.labels import parse_label_map
from medxray.data.layouts.names import nearest
from medxray.data.layouts.sources import load_manifest, load_split
from medxray.data.manifest import SPLITS
from medxray.data.pipeline import CACHE_LIMIT, read_source
from medxray.data.pixels import DiskPlace
from medxray.data.split_checks import check_split, split_cause
from medxray.data.splits import assign_splits, limit_manifest, training_sample
from medxray.errors import DataError
from medxray.metrics.threshold_rules import check_rule_applies
from medxray.training.cache_folder import cache_folder, parse_size
from medxray.training.config import RunConfig
from medxray.training.image_set import ImageSet
from medxray.training.option_groups import CSV_OPTIONS

SAMPLE = "train-sample"  # training images that are assessed unchanged
MINIMUM_PER_CLASS = 8
_NEED = f"training needs at least {MINIMUM_PER_CLASS} of each class"
_NEED_LABELLED = f"{ABNORMAL_NEEDED}: at least {MINIMUM_PER_CLASS}"


def choose_manifest(config, *, positive=None, normal=None, split=None):
    """The manifest of a new run: every image has a split, `--limit` and `--split-file` are applied.

    Args:
        config: RunConfig.
        positive: as for `data.layouts.sources.load_manifest`.
        normal: as for `data.layouts.sources.load_manifest`.
        split: function Manifest -> Manifest with splits, which may apply `--limit` itself; None: test and val are
            carved by patients.
    """
    columns = {name: getattr(config, name) for name in CSV_OPTIONS}
    label_map = parse_label_map(config.label_map)
    naming = {"label_map": label_map, "normal": normal}
    manifest = load_manifest(
        config.data, task=config.task, positive=positive, split_file=config.split_file, **naming, **columns
    )
    check_rule_applies(config.threshold_rule, manifest.classes)
    if config.split_file is not None:
        manifest = load_split(config.split_file, manifest, **naming)
        check_split(manifest)
    else:
        smallest = {"min_val": 1} if is_array_file(config.data) else {}
        manifest = split(manifest) if split else assign_splits(manifest, seed=config.seed, **smallest)
    return manifest if config.limit is None else limit_manifest(manifest, config.limit, seed=config.seed)


def decode_splits(manifest, config, splits):
    """Decode the images of some splits; files of other splits are not read.

    Args:
        manifest: Manifest with splits.
        config: RunConfig.
        splits: names of the splits, which become the rows of the ImageSet; with "train" it has the rows SAMPLE too.

    Returns:
        (image_set.ImageSet over the images that can be read, dict path -> reason of the others).
    """
    part = manifest.where(manifest.table["split"].isin(list(splits)))
    size = (config.image_size, config.image_size)
    form = {"size": size, "channels": config.channels, "resize": config.resize}
    source, failures = read_source(part.files(), **form, limit=CACHE_LIMIT, disk=_disk(config))
    reasons = {part.table["path"][row]: reason for row, reason in failures.items()}
    if reasons:
        source = source.keep(np.setdiff1d(np.arange(len(part)), list(failures)))
        part = part.where(~part.table["path"].isin(list(reasons)))
    return _image_set(part, source, config, splits), reasons


def _disk(config):
    """Where decoded pixels go that memory has no room for; a method without a cache has the budget of the others."""
    budget = config.cache_budget or RunConfig.CACHE_BUDGET
    return DiskPlace(cache_folder(config), parse_size(budget))


def _image_set(part, source, config, splits):
    names = part.table["split"].to_numpy()
    rows = {split: np.flatnonzero(names == split) for split in splits}
    return ImageSet(
        source=source,
        labels=part.labels(),
        digests=part.content_digests(),
        rows=rows | ({SAMPLE: training_sample(part, config.seed_of_images)} if "train" in rows else {}),
        policy=policy(config.augment),
        seed=config.seed_of_images,
    )


def sample_note(images):
    """What the report says about the training images it was made from; None when they are all of them."""
    taken, total = len(images.rows[SAMPLE]), len(images.rows["train"])
    if taken == total:
        return None
    return (
        f"Measured on a random sample of patients, {taken} of {total} training images. "
        "`medxray evaluate RUN --split train` takes all."
    )


def content_table(manifest):
    """DataFrame with path, split and the SHA-256 of each file's content, by which a run knows its images again."""
    return manifest.table[["path", "split"]].assign(sha256=manifest.content_digests())


def check_enough(manifest, learned):
    """Raise DataError where a class or a split has too few images.

    Args:
        manifest: Manifest with splits.
        learned: classes that the train split has to hold.
    """
    counts = np.bincount(manifest.labels(), minlength=len(manifest.classes))
    for name, count in zip(manifest.classes, counts, strict=True):
        if count < MINIMUM_PER_CLASS:
            raise DataError(
                f"Class {name} has {count} readable images in {manifest.root}; "
                f"{_NEED if name in learned else _NEED_LABELLED}. {_remedy(name, manifest)}"
            )
    for split in SPLITS:
        if not (manifest.table["split"] == split).any():
            raise DataError(
                f"The {split} split of {manifest.root} is empty.{split_cause(manifest)} "
                "Add patients or give --split-file."
            )
    training = manifest.subset("train").labels()
    missing = [name for name in learned if not (training == manifest.classes.index(name)).any()]
    if missing:
        cause = split_cause(manifest, missing[0])
        raise DataError(
            f"The train split has no image of class {missing[0]}.{cause} Add patients or give --split-file."
        )
    for split, name in itertools.product(("val", "test"), set(manifest.classes) - set(learned)):
        part = manifest.subset(split)
        if not (part.table["label"] == name).any():
            raise DataError(
                f"None of the {len(part)} images in the {split} split is of class {name}; {ABNORMAL_NEEDED}. "
                "Add patients or give --split-file."
            )


def _remedy(name, manifest):
    """What to do about a class with too few images: it may be a misspelt label."""
    others = [other for other in manifest.classes if other != name]
    near = nearest(name, others)
    if near is None:
        return "Add images or choose another --task."
    first = manifest.table.loc[manifest.table["label"] == name, "path"].iloc[:1].tolist()
    where = f" (first: {first[0]})" if first else ""
    return f"If it is meant to be {near}{where}, correct it or give --label-map '{name}={near}'. Else add images."


def data_record(manifest, config):
    """What run.json says about the data."""
    return {
        "root": str(manifest.root),
        "source": config.data,
        "task": manifest.task,
        "classes": list(manifest.classes),
        "positive": manifest.positive,
        "grouped": manifest.grouped,
        "manifest_sha256": manifest.digest(),
        "counts": manifest.counts().to_dict("records"),
        "skipped": [{"path": item.path, "reason": item.reason} for item in manifest.skipped],
        "preprocessing": {
            "image_size": config.image_size,
            "channels": config.channels,
            "resize": config.resize,
            "range": "0-255",
            "decoding": DECODING,
        },
    }
