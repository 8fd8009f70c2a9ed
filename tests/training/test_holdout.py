"""Which images a held-out split is made of, without a model: features are read off the names of files."""

import numpy as np
import pytest

from medxray.data.manifest import Manifest, build_table
from medxray.training import holdout
from medxray.training.config import TrainConfig


@pytest.fixture
def embedded(monkeypatch):
    """The files that features are asked of, in order; `bad` in a name makes a file unreadable, `odd` a kind."""
    asked = []

    class Source:
        def __init__(self, files):
            self.files = files

        def dataset(self, rows):
            asked.extend(self.files[row].name for row in rows)
            return self

        def batch(self, size):
            return self

        def prefetch(self, count):
            return [np.array(asked)]

    def read(files, **form):
        return Source(files), {row: "damaged" for row, file in enumerate(files) if "bad" in file.name}

    monkeypatch.setattr(holdout, "read_source", read)
    monkeypatch.setattr(holdout, "embedder", lambda model: model)
    monkeypatch.setattr(holdout, "predict_batches", lambda model, batches: odd(*batches))
    return asked


@pytest.fixture
def manifest(tmp_path):
    """120 images of as many patients, every other of each class odd; the last 20 are a test split."""
    rows = []
    for number in range(120):
        name = f"{number}{'-odd' if number // 2 % 2 else ''}.png"
        (tmp_path / name).write_bytes(name.encode())
        rows.append((name, ("NORMAL", "PNEUMONIA")[number % 2], "", f"p{number}", "test" if number >= 100 else ""))
    return Manifest(build_table(rows), tmp_path, "pneumonia", ("NORMAL", "PNEUMONIA"), "PNEUMONIA", True)


def odd(names):
    return np.array([["odd" in name] for name in names], np.float32)


def config_of(**options):
    return TrainConfig(holdout="clusters", clusters=2, image_size=32, **options).resolved()


def test_a_limit_is_applied_before_features_are_computed(embedded, manifest):
    split, held = holdout.hold_out(manifest, None, config_of(limit=40))
    assert len(embedded) == len(split) == 40
    counts = split.table.groupby("split").size()
    assert set(counts.index) == {"train", "val", "test"} and counts["test"] == sum(
        item["tested"] + item["beside"] for item in held["clusters"]
    )
    assert sum(item["of"] for item in held["clusters"]) == 40


def test_features_are_computed_of_no_image_of_the_datasets_own_test_split(embedded, manifest):
    split, _ = holdout.hold_out(manifest, None, config_of())
    assert len(embedded) == len(split) == 100 and not {"110-odd.png", "119-odd.png"} & set(embedded)


@pytest.mark.parametrize("seed", range(3))
def test_images_that_cannot_be_read_are_of_no_kind(embedded, manifest, seed):
    table = manifest.table.assign(
        path=[path if row > 9 else f"bad{path}" for row, path in enumerate(manifest.table["path"])]
    )
    for path in table["path"][:10]:
        (manifest.root / path).write_bytes(path.encode())
    damaged = Manifest(table, manifest.root, manifest.task, manifest.classes, manifest.positive, True)
    split, held = holdout.hold_out(damaged, None, config_of(seed=seed))
    assert not split.table.loc[split.table["path"].str.startswith("bad"), "split"].eq("test").any()
    assert [item["of"] for item in held["clusters"]] == [45, 45]
