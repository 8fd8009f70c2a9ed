"""Mean maps of groups by hand, and the command."""

import json

import cv2
import numpy as np
import pytest

from medxray.data.phantom.draw import render_phantom
from medxray.explain.cohort.figures import figures_of_difference, figures_of_group, shares_of_image, uniform_shares
from medxray.explain.cohort.groups import comparisons_of, groups_of, too_few
from medxray.explain.cohort.mean_maps import GRID, mean_over, relative_heat
from medxray.plots.cohort import CohortDisplay
from tests.fixtures.small_runs import write_phantom_run


def test_groups_are_classes_subtypes_and_right_and_wrong_predictions():
    labels, predicted = np.array([0, 1, 1, 0]), np.array([0, 1, 0, 1])
    found = groups_of(("NORMAL", "ILL"), labels, ["", "viral", "bacterial", ""], predicted)
    assert {name: np.flatnonzero(members).tolist() for name, members in found.items()} == {
        "NORMAL": [0, 3],
        "ILL": [1, 2],
        "bacterial": [2],
        "viral": [1],
        "correct": [0, 1],
        "wrong": [2, 3],
    }


def test_a_subtype_that_is_called_like_a_class_is_no_second_group():
    found = groups_of(("NORMAL", "VIRAL"), np.array([0, 1]), ["", "VIRAL"], np.array([0, 1]))
    assert list(found) == ["NORMAL", "VIRAL", "correct", "wrong"] and not found["wrong"].any()


def test_each_class_is_compared_with_the_first_and_wrong_with_right():
    assert comparisons_of(("A", "B", "C")) == [("B", "A"), ("C", "A"), ("wrong", "correct")]


def test_groups_of_fewer_than_five_images_say_so():
    assert too_few(np.zeros(9, bool)) == "no image"
    assert too_few(np.arange(9) < 1) == "1 image, fewer than 5"
    assert too_few(np.arange(9) < 4) == "4 images, fewer than 5" and too_few(np.arange(9) < 5) == ""


def test_a_map_is_relative_to_one_that_is_the_same_everywhere():
    heat = np.zeros((10, 20), np.float32)
    heat[:, :10] = 0.5
    found = relative_heat(heat)
    assert found.shape == (GRID, GRID) and found.mean() == pytest.approx(1)
    assert found[GRID // 2, 5] == pytest.approx(2, rel=1e-3) and found[0, -1] == 0
    assert np.isnan(relative_heat(heat * 0)).all()


def test_the_mean_leaves_maps_without_heat_out():
    maps = np.stack([np.full((2, 2), value, np.float32) for value in (1, np.nan, 4, 100)])
    assert mean_over(maps, [True, True, True, False]).tolist() == [[2.5, 2.5], [2.5, 2.5]]
    assert np.isnan(mean_over(maps, [False, True, False, False])).all()


def test_shares_of_one_image_by_hand():
    """10 x 10 pixels, a border of one: heat 1 in a corner, 2 in the lungs, 1 elsewhere."""
    heat, lungs = np.zeros((10, 10)), np.zeros((10, 10), bool)
    heat[0, 0], heat[4, 4], heat[8, 8] = 1, 2, 1
    lungs[3:6, 3:6] = True
    assert shares_of_image(heat, lungs) == {"border": 0.25, "lungs": 0.5, "elsewhere": 0.25}
    unknown = shares_of_image(heat, None)
    assert unknown["border"] == 0.25 and np.isnan([unknown["lungs"], unknown["elsewhere"]]).all()
    uniform = uniform_shares(lungs)
    assert uniform == pytest.approx({"border": 0.36, "lungs": 0.09, "elsewhere": 0.55})


def columns(border):
    values = {"border": np.array(border, float)}
    return values | {name: np.full(len(border), np.nan) for name in ("lungs", "elsewhere")}


def test_figures_of_a_group_and_of_a_difference():
    shares, members = columns([0.2, 0.4] * 6 + [np.nan] + [0.5] * 5), np.arange(18) < 13
    uniform, patients = columns([0.36] * 18), np.arange(18).astype(str)
    found = figures_of_group(shares, uniform, members, patients, seed=0)
    assert (found["n"], found["n_patients"], found["note"], found["constant_maps"]) == (13, 13, "", 1)
    assert found["border"]["value"] == pytest.approx(0.3) and found["border"]["n"] == 12
    assert found["border"]["uniform"] == pytest.approx(0.36)
    low, high = found["border"]["ci95"]
    assert 0.2 < low < 0.3 < high < 0.4
    assert found["lungs"] == {"value": None, "ci95": None, "n": 0, "uniform": None}
    few = figures_of_group(shares, uniform, np.arange(18) < 2, patients, seed=0)
    assert few == {"n": 2, "n_patients": 2, "note": "2 images, fewer than 5"}
    difference = figures_of_difference(shares, ~members, members, patients, seed=0)["border"]
    assert difference["value"] == pytest.approx(0.2) and difference["ci95"][0] > 0.1


@pytest.fixture(scope="module")
def phantom_run(phantoms, tmp_path_factory):
    """An untrained network on phantoms that calls every image ill."""
    folder = tmp_path_factory.mktemp("cohort") / "run"
    return write_phantom_run(folder, phantoms / "chest_xray" / "train", size=64)


def test_the_command_prints_one_object_and_writes_picture_and_maps(medxray, phantom_run, colliding_texts):
    status, out, err = medxray("explain", "cohort", phantom_run.path, "--images", 24, "--json")
    assert status == 0, err
    report, folder = json.loads(out), phantom_run.path / "evaluations" / "test" / "cohort"
    assert json.loads((folder / "cohort.json").read_text()) == report
    assert {file.name for file in folder.iterdir()} == {"cohort.json", "cohort.npz", "cohort.png"}
    groups = report["groups"]
    assert {name: found["n"] for name, found in groups.items()} == {
        "NORMAL": 12,
        "PNEUMONIA": 12,
        "correct": 12,
        "wrong": 12,
    }
    assert groups["NORMAL"]["border"]["ci95"] and "PNEUMONIA minus NORMAL" in report["differences"]
    assert report["lung_fields"]["found"] + sum(report["lung_fields"]["failed"].values()) == 24
    with np.load(folder / "cohort.npz", allow_pickle=False) as file:
        arrays = dict(file)
    assert arrays["mean_heat"].shape == (4, GRID, GRID) and arrays["counts"].tolist() == [12] * 4
    at = arrays["groups"].tolist().index
    difference = arrays["mean_heat"][at("PNEUMONIA")] - arrays["mean_heat"][at("NORMAL")]
    assert np.allclose(arrays["differences"][0], difference, atol=1e-5)
    assert colliding_texts(CohortDisplay(report, arrays).plot()) == []


def test_groups_that_are_too_small_and_files_that_cannot_be_read_are_named(medxray, phantom_run, tmp_path):
    data = tmp_path / "other"
    for number in range(8):
        kind = "NORMAL" if number < 6 else "PNEUMONIA"
        (data / kind).mkdir(parents=True, exist_ok=True)
        image, _ = render_phantom("normal", size=64, patient_seed=number, image_seed=number)
        cv2.imwrite(str(data / kind / f"{number}.png"), image)
    (data / "NORMAL" / "broken.png").write_bytes((data / "NORMAL" / "0.png").read_bytes()[:200])
    status, out, err = medxray("explain", "cohort", phantom_run.path, "--data", data, "--out", tmp_path / "out")
    assert status == 0, err
    assert "broken.png" in err and "The group PNEUMONIA has no mean map: 2 images, fewer than 5." in err
    assert "PNEUMONIA minus NORMAL is left out: PNEUMONIA has 2 images, fewer than 5." in out.splitlines()
    assert (tmp_path / "out" / "cohort.png").exists()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--method", "lime"), 2, "--method must be one of gradcam,"),
        (("--class", "EDEMA"), 2, "--class must be one of NORMAL, PNEUMONIA"),
        (("--images", "1"), 2, "1 is not in the range x>=2"),
        (("--split", "val"), 1, "Name another --split"),
    ],
)
def test_impossible_wishes_end_with_one_line(medxray, phantom_run, words, status, message):
    found, out, err = medxray("explain", "cohort", phantom_run.path, *words)
    assert found == status and out == ""
    assert message in err.splitlines()[-1] and err.splitlines()[-1].startswith("Error: ")


def test_the_class_is_named_as_the_run_names_it_and_three_classes_are_averaged(subtype_run, tmp_path):
    from medxray.explain.cohort.cohort import CohortRequest, write_cohort

    report, _ = write_cohort(subtype_run, request=CohortRequest(target="viral"), out=tmp_path / "out")
    assert report["explained"] == "VIRAL" and report["differences"] == {}
    assert list(report["not_compared"]) == ["BACTERIAL minus NORMAL", "VIRAL minus NORMAL", "wrong minus correct"]
    assert report["groups"]["VIRAL"]["note"] == "2 images, fewer than 5"
