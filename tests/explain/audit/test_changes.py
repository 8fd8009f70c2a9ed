"""Networks that look at one place alone: what the audit says of them is known."""

from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from medxray.explain.audit.audit import AuditRequest, audit_images, heat_figures
from medxray.explain.audit.changes import change_figures
from medxray.explain.checks.sample import CheckedImages, answers_of
from medxray.explain.checks.scores import Scores
from medxray.explain.mapped_sample import MappedSample
from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.metrics.map_concentration import border_mask
from tests.fixtures.tiny_networks import place_network

SIDE, IMAGES = 40, 12
LUNGS = np.zeros((SIDE, SIDE), bool)
LUNGS[8:32, 8:32] = True
CORNER = np.zeros((SIDE, SIDE), bool)
CORNER[:10, :10] = CORNER[:10, 30:] = True


def run_that_sees(mask, level=100):
    """Class 1 where the pixels of a mask are brighter than a level on average."""
    model = place_network(-np.asarray(mask, float) / mask.sum())
    decision = Decision(None, Calibration(1.0, (float(level), 0.0)))
    return SimpleNamespace(model=model, classes=("NORMAL", "ILL"), positive="ILL", decision=decision)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("images")
    paths = [folder / f"{number}.png" for number in range(IMAGES)]
    for number, path in enumerate(paths):
        cv2.imwrite(str(path), np.full((4, 4), number, np.uint8))
    return paths


def mapped(run, files, mask, lungs=LUNGS):
    """Half of the images are bright in the mask, which is their class; heat lies in the upper left corner."""
    labels = np.arange(IMAGES) % 2
    pixels = np.full((IMAGES, SIDE, SIDE, 1), 60, np.uint8)
    pixels[labels == 1] = np.where(mask, 140, 60)[..., None]
    sample = CheckedImages(
        files=files,
        patients=np.arange(IMAGES).astype(str),
        labels=labels,
        pixels=pixels,
        boxes=[(0, 0, SIDE, SIDE)] * IMAGES,
        left_out={},
    )
    logits = Scores(run).logits(pixels.astype(np.float32))
    heat = np.zeros((SIDE, SIDE), np.float32)
    heat[0, 0], heat[20, 20] = 1, 3
    reasons = ["" if lungs is not None else "hidden"] * IMAGES
    return MappedSample(sample, logits, answers_of(run, logits), [heat] * IMAGES, [lungs] * IMAGES, reasons)


def audited(mask, files, lungs=LUNGS):
    run = run_that_sees(mask)
    report, answers = audit_images(run, mapped(run, files, mask, lungs), AuditRequest())
    return report, answers


def values(report):
    keys = ("border", "marker_region", "outside_lungs", "lungs")
    return [report[f"changed_by_{key}"]["value"] for key in keys] + [report["flipped_by_marker"]["value"]]


def test_a_model_that_sees_the_border_alone_is_found_out(files):
    report, _ = audited(border_mask((SIDE, SIDE)), files)
    assert values(report)[0] == values(report)[2] == 1 and values(report)[3] == 0
    border = report["changed_by_border"]
    assert (border["n"], border["changed"]) == (IMAGES, IMAGES) and border["ci95"][0] > 0.7
    assert border["by_class"] == {"NORMAL": {"n": 6, "changed": 6}, "ILL": {"n": 6, "changed": 6}}
    assert border["mean_colour"]["by_class"] == {"NORMAL": {"n": 6, "changed": 0}, "ILL": {"n": 6, "changed": 6}}
    assert report["model"]["without_lungs"]["auroc"]["value"] == 1


def test_a_model_that_sees_the_lungs_alone_has_no_shortcut(files):
    report, _ = audited(LUNGS, files)
    assert values(report) == [0, 0, 0, 0.5, 0]
    assert report["changed_by_lungs"]["by_class"]["ILL"]["changed"] == 6
    assert report["model"]["unchanged"]["balanced_accuracy"]["value"] == 1
    assert report["model"]["with_lungs"]["auroc"]["value"] == 1


def test_a_model_that_sees_a_marker_is_flipped_by_one(files):
    """The mean of the corners rises above 60.5 where a marker is pasted into a normal image.

    At this size a letter may fall between the pixels, of one image here.
    """
    run = run_that_sees(CORNER, level=60.5)
    report, answers = audit_images(run, mapped(run, files, CORNER), AuditRequest())
    flipped = report["flipped_by_marker"]
    assert flipped["by_class"] == {"NORMAL": {"n": 6, "changed": 5}, "ILL": {"n": 6, "changed": 0}}
    assert list(flipped["by_severity"]) == ["1", "2", "3"] and flipped["by_severity"]["2"]["changed"] == 5
    assert report["changed_by_marker_region"]["value"] == 1 and report["changed_by_lungs"]["value"] == 0
    assert len(answers[("marker", 2)].examples) == 4


def test_images_whose_lungs_are_not_found_count_where_no_lungs_are_needed(files):
    report, answers = audited(border_mask((SIDE, SIDE)), files, lungs=None)
    assert report["changed_by_outside_lungs"]["n"] == 0 and report["changed_by_outside_lungs"]["value"] is None
    assert report["changed_by_border"]["value"] == 1
    assert report["lung_fields"]["found"] == 0 and report["lung_fields"]["failed"] == {"hidden": IMAGES}
    assert report["model"]["without_lungs"] == {
        "auroc": {"value": None, "ci95": None},
        "balanced_accuracy": {"value": None, "ci95": None},
        "n": 0,
    }
    assert answers[("lungs", "mean")].examples == [None] * 4


def test_shares_of_the_heat_by_hand(files):
    run = run_that_sees(LUNGS)
    found = heat_figures(mapped(run, files, LUNGS), seed=0)
    assert found["border_share"]["value"] == found["outside_lungs_share"]["value"] == 0.25
    assert found["border_share"]["uniform"] == pytest.approx(0.36) and found["border_share"]["n"] == IMAGES
    assert found["outside_lungs_share"]["uniform"] == pytest.approx(1 - 24**2 / 40**2)
    assert found["constant_maps"] == 0 and found["border_share"]["ci95"] == [0.25, 0.25]


def test_change_figures_by_hand():
    before, after = np.array([0, 0, 1, 1]), np.array([[0, 1, 0, 0]])
    known = np.array([True, True, True, False])
    found = change_figures(
        before, after, known, labels=np.array([0, 0, 1, 1]), patients=np.array(list("abcd")), classes=("A", "B")
    )
    assert (found["value"], found["n"], found["changed"]) == (2 / 3, 3, 2)
    assert found["by_class"] == {"A": {"n": 2, "changed": 1}, "B": {"n": 1, "changed": 1}}


def test_change_figures_of_several_versions_are_means_and_their_interval_is_of_patients():
    """Three versions of two images: of the first the answer moves in two of them, of the second in none."""
    before, after = np.array([0, 1]), np.array([[1, 1], [1, 1], [0, 1]])
    known, labels = np.ones(2, bool), np.array([0, 1])
    who = {"labels": labels, "classes": ("A", "B")}
    found = change_figures(before, after, known, patients=np.array(["a", "b"]), **who)
    assert (found["value"], found["n"], found["changed"]) == (2 / 6, 2, 2 / 3)
    assert found["by_class"] == {"A": {"n": 1, "changed": 2 / 3}, "B": {"n": 1, "changed": 0}}
    apart = change_figures(before, np.array([[1, 1]] * 3), known, patients=np.array(["a", "b"]), **who)
    once = change_figures(before, np.array([[1, 1]]), known, patients=np.array(["a", "b"]), **who)
    assert apart["ci95"] == pytest.approx(once["ci95"])  # versions of an image are no further images


def test_the_figures_of_other_images_are_of_three_of_them_and_those_of_the_mean_colour_of_one(files):
    report, answers = audited(border_mask((SIDE, SIDE)), files)
    assert report["partners"] == 3
    assert answers[("border", "other_image")].logits.shape == (3, IMAGES, 2)
    assert answers[("border", "mean")].logits.shape == answers[("marker", 1)].logits.shape == (1, IMAGES, 2)
