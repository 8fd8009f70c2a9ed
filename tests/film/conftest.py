"""A scene of a film, a run that other data can be shown with, and films read back."""

import cv2
import numpy as np
import pytest

from medxray.film.scenes import Scene
from medxray.film.tally import Tally


@pytest.fixture
def scene():
    """Function (changes) -> Scene of a grey image with heat in its upper left quarter."""

    def made(**changes):
        heat = np.zeros((8, 8), np.float32)
        heat[:4, :4] = 1
        usual = {
            "number": 2,
            "total": 3,
            "name": "test/NORMAL/a.png",
            "picture": np.full((50, 100, 1), 90, np.uint8),
            "heat": heat,
            "method": "Grad-CAM",
            "target": "PNEUMONIA",
            "classes": ("NORMAL", "PNEUMONIA"),
            "probabilities": np.array([0.25, 0.75]),
            "threshold": 0.6,
            "predicted": "PNEUMONIA",
            "true": "NORMAL",
            "tally": Tally(np.array([[3, 1], [0, 2]]), (0, 1)),
        }
        return Scene(**usual | changes)

    return made


@pytest.fixture(scope="session")
def shown_run(phantoms, tmp_path_factory):
    """An untrained two-class run with the phantoms as its test split, of which it calls about half ill."""
    from medxray.api import load_run
    from medxray.runs.directory import RunDir
    from tests.fixtures.small_runs import write_phantom_run

    folder = tmp_path_factory.mktemp("shown")
    images = phantoms / "chest_xray" / "train"
    run = load_run(write_phantom_run(folder / "run", images, size=32).path)
    scores = run.predict([images])["probability"]
    stored = RunDir(run.path)
    point = {"value": float(np.median(scores)), "rule": "youden", "chosen_on": "val"}
    stored.update_record(decision=stored.read_record()["decision"] | {"threshold": point})
    return load_run(run.path)


@pytest.fixture
def plain_folder(tmp_path):
    """A folder with three images in it, of a patient nobody knows."""
    from tests.fixtures.small_runs import picture

    folder = tmp_path / "plain"
    folder.mkdir()
    for number in range(3):
        cv2.imwrite(str(folder / f"{number}.png"), picture(number))
    return folder
