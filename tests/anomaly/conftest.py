"""One small run of each method on phantoms, shared by all tests, and a hand-made data set with many images."""

import cv2
import numpy as np
import pandas as pd
import pytest

COUNTS = {"train": (12, 12), "val": (60, 60), "test": (30, 30)}  # images: normal, abnormal
SMALL = {
    "padim": {"arch": "shallow-cnn", "weights": "none", "dimensions": 12},
    "patchcore": {"arch": "shallow-cnn", "weights": "none", "coreset": 0.05},
    "autoencoder": {"epochs": 2, "bottleneck": 4, "batch_size": 8, "deterministic": False},
}


@pytest.fixture
def repeatable():
    """Switch op determinism, which a run with --deterministic switches on, off again for the tests that follow."""
    from tensorflow.python.framework import config

    yield
    config.disable_op_determinism()


@pytest.fixture(scope="session")
def without_pictures():
    """Function that trains with the plots of anomaly runs alone."""
    from medxray import train

    def run(config):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("medxray.evaluation.report.draw_evaluation", lambda *parts, **options: None)
            return train(config)

    return run


@pytest.fixture(scope="session")
def classifier(phantoms, tmp_path_factory):
    """A small classifier's run."""
    from medxray import TrainConfig, train
    from tests.fixtures.bare_runs import leave_out_most

    small = {"arch": "shallow-cnn", "image_size": 32, "epochs": 1, "export": False}
    with pytest.MonkeyPatch.context() as patch:
        leave_out_most(patch)
        return train(TrainConfig(data=str(phantoms), runs_dir=str(tmp_path_factory.mktemp("classifier")), **small))


@pytest.fixture(scope="session")
def small(phantoms, tmp_path_factory):
    """Function (method, folder name, **changes) -> AnomalyConfig of a small run on phantoms in a folder of its own."""
    from medxray import AnomalyConfig

    def config(method, **changes):
        folder = tmp_path_factory.mktemp(method)
        names = ("runs_dir", "saved_models_dir", *(() if method == "autoencoder" else ("cache_dir",)))
        places = {name: str(folder / name) for name in names}
        values = {"data": str(phantoms), "image_size": 32, "name": method, **places, **SMALL[method]}
        return AnomalyConfig(method=method, **{**values, **changes})

    return config


@pytest.fixture(scope="session")
def autoencoder(small, without_pictures):
    """An autoencoder of 2 epochs at 40 pixels, which is no multiple of 16."""
    return without_pictures(small("autoencoder", image_size=40))


@pytest.fixture(scope="session")
def padim(small, without_pictures):
    """PaDiM on a random small network."""
    return without_pictures(small("padim"))


@pytest.fixture(scope="session")
def patchcore(small, without_pictures):
    """PatchCore on a random small network that takes colour images."""
    return without_pictures(small("patchcore", channels=3))


@pytest.fixture(params=["autoencoder", "padim", "patchcore"])
def detector(request):
    """The run of each method."""
    return request.getfixturevalue(request.param)


@pytest.fixture(scope="session")
def shades(tmp_path_factory):
    """Function (folder name, **changes) -> CSV of 32-pixel images with its splits.

    Normal images are noise around 160, abnormal ones noise around 90; image number i of a split is drawn from a seed of
    its own, so that replacing the abnormal images of one split (`train="new"`) changes nothing else. `labels`: CSV
    labels of normal and abnormal images.
    """

    def write(*, labels=("healthy", "ill"), **replaced):
        folder, rows = tmp_path_factory.mktemp("shades"), []
        for split, counts in COUNTS.items():
            for kind, count in enumerate(counts):
                for number in range(count):
                    new = kind == 1 and split in replaced
                    rng = np.random.default_rng([len(split), kind, number, int(new)])
                    level, spread = ((160, 20), (90, 20), (40, 35))[2 if new else kind]
                    pixels = np.clip(rng.normal(level, spread, (32, 32)), 0, 255).astype(np.uint8)
                    file = folder / f"{split}-{kind}-{number}.png"
                    cv2.imwrite(str(file), pixels)
                    rows.append((file.name, labels[kind], f"{split}-{kind}-{number // 2}", split))
        csv = folder / "images.csv"
        pd.DataFrame(rows, columns=["path", "label", "patient", "split"]).to_csv(csv, index=False)
        return csv

    return write
