"""Parts of the scripts that decide something; what they measure is not measured here."""

import importlib.util
from pathlib import Path

import cv2
import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def script(monkeypatch):
    """Function (name) -> the script as a module."""
    monkeypatch.syspath_prepend(FOLDER)

    def load(name):
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def folder(tmp_path):
    """Two images, the second in a folder with a dot in its name, and a text."""
    (tmp_path / "v1.5").mkdir()
    for name in ("a.png", "v1.5/b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8), np.uint8))
    (tmp_path / "about.txt").write_text("text")
    return tmp_path


def test_further_images_of_the_gate_check_are_images_alone_and_each_once(script, folder):
    check = script("check_gate")
    found = check.once(check.further([str(folder), f"{folder}/v1.5/../v1.5"], "X-rays in {}"))
    assert found == [(f"X-rays in {folder.name}", folder / name) for name in ("a.png", "v1.5/b.png")]


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "There is no folder"), ("empty", "holds no image"), ("*.bmp", "matches no file")],
)
def test_a_folder_that_gives_the_gate_check_nothing_ends_it_before_anything_is_made(
    script, folder, monkeypatch, name, message
):
    (folder / "empty").mkdir()
    check = script("check_gate")
    words = ["check_gate.py", "runs/any", "--also", str(folder), "--photographs", str(folder / name)]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr(check, "gather", None)
    with pytest.raises(SystemExit, match=message) as ended:
        check.main()
    assert len(ended.value.code.splitlines()) == 1


def test_the_autoencoder_chosen_is_the_smallest_of_those_that_are_close_to_the_best_in_both_numbers(script):
    rebuilt = {
        "mix/64/96": (0.90, 0.95),
        "mix/256/64": (0.90, 0.94),
        "mix/64/64": (0.89, 0.935),
        "ssim/64/64": (0.89, 0.94),
        "mix/16/64": (0.90, 0.92),
        "mse/16/64": (0.87, 0.95),
    }
    variant, why = script("choose_autoencoder").choice(rebuilt)
    assert variant == "ssim/64/64"
    assert why == "the smallest of 4 within 0.02 of the best in both numbers"


def test_the_autoencoder_chosen_has_the_largest_sum_where_none_is_close_in_both_numbers(script):
    rebuilt = {"ssim/16/64": (0.90, 0.70), "mix/256/96": (0.87, 0.90), "mse/64/64": (0.80, 0.95)}
    variant, why = script("choose_autoencoder").choice(rebuilt)
    assert variant == "mix/256/96"
    assert why == "the largest sum of both numbers, since none is within 0.02 of the best in both"
