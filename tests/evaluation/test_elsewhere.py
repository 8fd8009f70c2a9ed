"""Other data beside the run's own test split, and how far they are from the training."""

import json
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest

from medxray import api
from medxray.data.phantom.draw import generate_phantoms
from medxray.evaluation.elsewhere import FIGURES, ece_estimate, far_in, farther
from medxray.evaluation.elsewhere_text import beside_test_rows, far_line
from medxray.gate.appearance import Appearance, distances
from medxray.gate.gaussian import Gaussian
from medxray.metrics.clustered import clustered_auroc
from medxray.metrics.decision import DEFAULT_POINT, Decision
from medxray.metrics.reliability import ece, weighted_ece

LABELS = {"healthy": "NORMAL", "sick": "PNEUMONIA"}


@pytest.fixture
def run(trained, tmp_path):
    """A copy of the small trained run, for a test to write into."""
    shutil.copytree(trained.path, tmp_path / "small", ignore=shutil.ignore_patterns("external", "evaluations"))
    return api.load_run(tmp_path / "small")


@pytest.fixture(scope="module")
def other(tmp_path_factory):
    """New phantoms, whose labels have other names and whose sides are exchanged: upside down."""
    folder = tmp_path_factory.mktemp("other")
    generate_phantoms(folder / "drawn", patients=14, size=64, seed=77)
    for number, file in enumerate((folder / "drawn" / "chest_xray").rglob("*.jpeg")):
        target = folder / "site" / ("healthy" if file.parent.name == "NORMAL" else "sick") / f"x{number}.png"
        target.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(target), 255 - cv2.flip(cv2.imread(str(file), cv2.IMREAD_GRAYSCALE), 0))
    return folder / "site"


def test_other_data_stand_beside_the_own_test_split_in_report_and_text(run, other, medxray, without_plots):
    words = ["evaluate", run.path, "--data", other, "--label-map", "healthy=NORMAL,sick=PNEUMONIA"]
    status, out, err = medxray(*words, "--json")
    assert status == 0, err
    report = json.loads(out)
    found = report["elsewhere"]
    assert set(FIGURES) < set(found["internal"]) and set(FIGURES) < set(found["external"])
    own = pd.read_csv(run.path / "split.csv", keep_default_na=False)
    assert found["internal"]["n"] == (own["split"] == "test").sum()
    assert found["external"]["n"] == report["n"] == len(list(other.rglob("*.png")))
    for name in ("auroc", "sensitivity", "specificity", "nll"):
        assert found["external"][name]["value"] == report[name]["value"]
        stored = json.loads((run.path / "metrics.json").read_text())["splits"]["test"][name]["value"]
        assert found["internal"][name]["value"] == pytest.approx(stored, abs=1e-3)  # the images are read again
    assert found["external"]["ece"]["value"] == pytest.approx(report["calibration"]["ece_after"])
    assert found["external"]["refused"]["value"] > found["internal"]["refused"]["value"]
    assert "refused" in found["far"] and found["line"].startswith("Far from the training (refused by the gate")
    (folder,) = (run.path / "external").iterdir()
    assert json.loads((folder / "metrics.json").read_text())["splits"]["test"]["elsewhere"] == found
    status, out, _ = medxray(*words)
    header = next(line for line in out.splitlines() if "own test split" in line)
    assert "these data" in header and found["line"] in out


def test_the_own_test_split_has_no_table_beside_itself(run, without_plots):
    assert "elsewhere" not in run.write_evaluation()[0]


def test_own_test_images_that_are_gone_leave_the_stored_figures(run, other, without_plots, monkeypatch):
    record = json.loads((run.path / "run.json").read_text())
    record["data"]["root"] = str(run.path / "gone")
    (run.path / "run.json").write_text(json.dumps(record))
    report, _ = api.load_run(run.path).write_evaluation(other, label_map=LABELS)
    found = report["elsewhere"]
    assert found["internal"]["auroc"]["value"] is not None and found["internal"]["refused"]["value"] is None
    assert found["farther"] is None and any("not looked at by the gate" in note for note in found["notes"])


def test_a_run_without_a_gate_says_what_is_missing(run, other, without_plots):
    run.directory.gate_file.unlink()
    found = api.load_run(run.path).write_evaluation(other, label_map=LABELS)[0]["elsewhere"]
    assert found["external"]["refused"]["value"] is None and "medxray gate" in found["notes"][0]


def test_a_distance_is_that_of_mahalanobis_over_the_root_of_the_dimensions():
    gaussian = Gaussian(np.array([1.0, 2.0], np.float32), np.diag([0.5, 2.0]).astype(np.float32))
    np.testing.assert_allclose(distances([[3.0, 2.0], [1.0, 3.0]], gaussian), [np.sqrt(0.5), np.sqrt(2.0)])


def test_how_often_an_image_lies_farther_out_is_an_auroc_by_patient():
    rng = np.random.default_rng(0)
    near, far = rng.normal(1, 0.3, 40), rng.normal(1.4, 0.3, 40)
    patients = np.repeat(np.arange(20), 2).astype(str)
    sides = [(Appearance(np.zeros(40, bool), values), patients) for values in (near, far)]
    found = farther(*sides)
    ids = np.concatenate([patients, np.char.add("o", patients)])
    expected = clustered_auroc(np.repeat([False, True], 40), np.concatenate([near, far]), ids)
    assert found["value"] == pytest.approx(expected.value) and found["ci95"] == pytest.approx(expected.interval())
    assert farther((None, None), sides[1]) is None


def found_with(*, refused, farther_value, prevalence):
    side = {name: {"value": 0.9, "ci95": [0.8, 1.0]} for name in FIGURES}
    side |= {"n": 10, "n_patients": 8, "n_unknown": 0}
    side["prevalence"] = {"NORMAL": 1 - prevalence, "PNEUMONIA": prevalence}
    inside = side | {"refused": {"value": 0.02, "ci95": [0.0, 0.05]}}
    return {
        "internal": inside,
        "external": side | {"refused": refused},
        "farther": farther_value,
        "decision_prevalence": {"NORMAL": 0.3, "PNEUMONIA": 0.7},
    }


def test_data_are_far_where_an_interval_lies_beyond_or_the_prevalence_differs():
    near = found_with(
        refused={"value": 0.2, "ci95": [0.05, 0.4]},
        farther_value={"value": 0.8, "ci95": [0.7, 0.9]},
        prevalence=0.65,
    )
    assert far_in(near) == []
    far = found_with(
        refused={"value": 0.3, "ci95": [0.2, 0.4]},
        farther_value={"value": 0.9, "ci95": [0.8, 0.95]},
        prevalence=0.2,
    )
    far["far"] = far_in(far)
    assert far["far"] == ["refused", "farther", "prevalence"]
    assert far_line(far) == (
        "Far from the training (refused by the gate, features that lie far out, another prevalence): the gate refuses "
        "30.0 %, of the test split 2.0 %; an image lies farther out than one of the test split in 90 % of pairs "
        "(alike: 50 %); prevalence: PNEUMONIA 0.20 instead of 0.70."
    )
    rows = beside_test_rows(far)
    assert rows[0] == ["", "own test split", "these data"] and len(rows) == 2 + len(FIGURES)


def test_the_calibration_error_of_weights_is_the_usual_one_for_equal_weights(simulate):
    part = simulate(300)
    decision = Decision(DEFAULT_POINT)
    p = part.raw_probabilities[:, 1]
    weights = np.array([np.ones(300), np.r_[np.ones(299), 0.0]])
    assert weighted_ece(p, part.y_true == 1, weights)[0] == pytest.approx(ece(p, part.y_true == 1))
    # two images of one bin, weights 3 and 1: |3 (1 - .6) + (0 - .8)| / 4
    one = weighted_ece([0.6, 0.8], [True, False], np.array([[3.0, 1.0]]), bins=1)
    assert one[0] == pytest.approx((1.2 - 0.8) / 4)
    found = ece_estimate(part, decision)
    assert found["value"] == pytest.approx(ece(p, part.y_true == 1)) and found["ci95"][0] < found["ci95"][1]
