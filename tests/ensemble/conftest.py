"""Two small classifiers of one split, and what is made of them."""

import pytest

from tests.fixtures.bare_runs import leave_out_most


@pytest.fixture(scope="package")
def members(phantoms, tmp_path_factory):
    """Two runs on phantoms with the same split, of networks whose heat layers have other resolutions."""
    from medxray import TrainConfig, train

    folder, made = tmp_path_factory.mktemp("members"), []
    shared = {"data": str(phantoms), "image_size": 32, "epochs": 2, "export": False, "runs_dir": str(folder)}
    with pytest.MonkeyPatch.context() as patch:
        leave_out_most(patch)
        patch.setattr("medxray.metrics.decision.MIN_IMAGES_PER_CLASS", 1)  # so that members are calibrated
        for seed, arch in enumerate(("shallow-cnn", "deep-cnn")):
            split = {"split_file": str(made[0].directory.split_file)} if made else {}
            made.append(train(TrainConfig(arch=arch, seed=seed, name=arch, **shared, **split)))
    return made


@pytest.fixture(scope="package")
def combine(members, tmp_path_factory):
    """Function (runs=members, **options) -> the bare run of an ensemble."""
    from medxray import EnsembleConfig, train

    def made(runs=members, **options):
        places = {"runs_dir": str(tmp_path_factory.mktemp("ensemble")), "export": False}
        with pytest.MonkeyPatch.context() as patch:
            leave_out_most(patch)
            return train(EnsembleConfig(members=tuple(str(run.path) for run in runs), **places, **options))

    return made


@pytest.fixture(scope="package")
def pair(combine):
    """The mean of both."""
    return combine()


@pytest.fixture(scope="package")
def viewed(combine):
    """The mean of both over three views."""
    return combine(tta=3, seed=4)


@pytest.fixture(scope="package")
def dropped(combine):
    """The mean of both over five dropout passes and two views."""
    return combine(tta=2, mc=5)


@pytest.fixture
def some_files(pair):
    """Six test images."""
    from medxray.runs.truth import listed_files

    return [row.path for row in listed_files(pair) if row.split == "test"][:6]
