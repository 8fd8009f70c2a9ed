"""The report as a file: what it holds, what it leaves out and says so, and that nothing of the data becomes markup."""

import functools
import json
import re
import shutil
from html.parser import HTMLParser

import cv2
import numpy as np
import pytest

from medxray.errors import DataError, RunError
from medxray.report.chosen import SHOWN, error_rows, sample_rows, shown_rows
from medxray.report.contents import read_contents
from medxray.report.heat import SIDE, Heats, write_heats
from medxray.report.report import report_page, write_report
from medxray.studies.compared_report import comparison
from medxray.system import storage
from tests.fixtures.stored_embeddings import keep_embeddings
from tests.fixtures.stored_runs import write_image, write_stored_run

HOSTILE = ("</script><script>alert(1)</script>", '"><img src=x onerror=alert(2)>')


class Page(HTMLParser):
    """The elements of a page, its ids, and the text of each section."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.texts, self._section, self._open = [], {}, None, None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag == "section":
            self._section = dict(attrs)["id"]

    def handle_endtag(self, tag):
        if tag == "section":
            self._section = None

    def handle_data(self, data):
        if self._open not in ("script", "style"):
            self.texts[self._section] = self.texts.get(self._section, "") + data + " "

    def all(self, name):
        return [attributes for tag, attributes in self.elements if tag == name]


def data_of(text):
    """The JSON that the page hands to its script."""
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)[1])


@pytest.fixture(scope="module")
def text(stored_run):
    return report_page(read_contents(stored_run.path))


@pytest.fixture(scope="module")
def shown(text):
    return Page(text)


def test_every_section_of_what_the_run_holds_is_there_in_order(shown):
    keys = [attributes["id"] for attributes in shown.all("section")]
    assert keys == [
        "figures",
        "flow",
        "history",
        "curves",
        "operating",
        "calibration",
        "scores",
        "unsure",
        "subgroups",
        "gallery",
        "errors",
        "environment",
        "card",
        "missing",
    ]
    assert [attributes["href"] for attributes in shown.all("a")][1:] == [f"#{key}" for key in keys]


def test_what_the_run_does_not_hold_is_named_with_the_command_that_makes_it(shown, stored_run):
    missing = shown.texts["missing"]
    for command in (
        f"medxray evaluate {stored_run.path} --shifts",
        f"medxray explain audit {stored_run.path} --split test",
        f"medxray report {stored_run.path} --gallery",
        f"medxray embed extract {stored_run.path}",
    ):
        assert command in missing


def test_the_page_needs_nothing_from_outside(text, shown):
    for attributes in (one for _, one in shown.elements):
        for name in ("src", "href", "action", "data", "srcset", "poster"):
            assert attributes.get(name, "#").startswith(("#", "data:image/")), attributes
    assert {tag for tag, _ in shown.elements} & {"link", "iframe", "object", "embed", "base"} == set()
    policy = next(one["content"] for one in shown.all("meta") if "http-equiv" in one)
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
    assert "url(" not in re.search(r"<style>(.*?)</style>", text, re.S)[1]


def test_the_page_says_once_what_it_is_not(text):
    assert text.lower().count("research use only") == text.lower().count("not a medical device") == 1
    assert "Beware." in text


def test_the_same_run_gives_the_same_bytes(stored_run, tmp_path):
    files = [write_report(stored_run.path, tmp_path / name) for name in ("a.html", "b.html")]
    assert files[0].read_bytes() == files[1].read_bytes()


def test_every_picture_has_a_text_and_there_are_at_most_48_of_them(shown, stored_run):
    pictures = shown.all("img")
    assert all(one["alt"].startswith("Image with true class ") for one in pictures)
    contents = read_contents(stored_run.path)
    assert len(shown_rows(contents)) <= len(pictures) == SHOWN  # an error may be in the sample, too


def test_the_sample_is_drawn_without_errors_being_looked_for(stored_run):
    contents = read_contents(stored_run.path)
    errors = sum(map(len, error_rows(contents).values()))
    order = np.random.default_rng(0).permutation(60)[: SHOWN - errors]
    assert sorted(sample_rows(contents)) == sorted(order)


def test_a_test_split_of_600_images_makes_a_report_below_8_megabytes(tmp_path):
    run = write_stored_run(tmp_path, n=600)
    rng = np.random.default_rng(0)
    for path in read_contents(run.path).predictions.paths:  # noise, which no encoder makes small
        write_noise(tmp_path / "images" / path, rng)
    keep_heats(run)
    keep_embeddings(run)
    assert write_report(run.path).stat().st_size < 8e6


def write_noise(file, rng):
    cv2.imwrite(str(file), rng.integers(0, 255, (256, 256), np.uint8))


def keep_heats(run):
    contents = read_contents(run.path)
    paths = np.array([contents.predictions.paths[row] for row in shown_rows(contents)])
    heats = np.random.default_rng(1).integers(0, 256, (len(paths), SIDE, SIDE), dtype=np.uint8)
    heats[0] = 0
    targets = np.full(len(paths), contents.predictions.classes[-1])
    write_heats(run.gallery_file, Heats("Grad-CAM", paths, targets, heats))


@pytest.fixture
def copied(stored_run, tmp_path):
    """A copy of the run that a test may change."""
    shutil.copytree(stored_run.path, tmp_path / "run")
    return type(stored_run)(tmp_path / "run")


def test_heatmaps_that_the_run_holds_lie_over_the_pictures_behind_a_switch(copied):
    keep_heats(copied)
    shown = Page(report_page(read_contents(copied.path)))
    heats = [one for one in shown.all("img") if one.get("class") == "heat"]
    assert len(heats) == len([one for one in shown.all("img") if one.get("class") is None])
    assert all(one["alt"].startswith("Heatmap for PNEUMONIA: ") for one in heats)
    assert "Show heatmaps (Grad-CAM)" in shown.texts["gallery"] and "--gallery" not in shown.texts["missing"]


def test_where_gradcam_failed_its_check_the_heatmaps_say_so(copied):
    keep_heats(copied)
    assert "fails on this run" not in report_page(read_contents(copied.path))
    verdicts = {"gradcam": False, "layercam": True, "rise": False}
    methods = {name: {"randomisation": {"passed": passed}} for name, passed in verdicts.items()}
    storage.write_json(copied.own_evaluation("test").explanations.report_file, {"methods": methods})
    shown = Page(report_page(read_contents(copied.path)))
    assert "found that gradcam fails on this run" in shown.texts["gallery"]
    assert "These passed: layercam." in shown.texts["gallery"]


def test_similar_training_cases_stand_beside_errors_where_embeddings_are_stored(copied):
    keep_embeddings(copied)
    shown = Page(report_page(read_contents(copied.path)))
    assert shown.texts["similar"].count("distance") >= 8 and "train/a.png" in shown.texts["similar"]
    assert "embed extract" not in shown.texts["missing"]


def test_shifted_views_and_audit_are_shown_where_they_are_stored(copied):
    metrics = storage.read_json(copied.metrics_file)
    figures = {"auroc": 0.75, "balanced_accuracy": 0.9, "sensitivity": 1.0, "specificity": None, "ece": 0.3}
    means = {"mean_auroc": {"value": 0.75, "ci95": [0.7, 0.8]}, "mean_ece": 0.3}
    means |= {name: {"value": 0.5, "ci95": None} for name in ("balanced_accuracy", "sensitivity", "specificity")}
    views = {"clean": figures, "families": {"crop": {"2": figures}}, "groups": {"framing": means}, "n": 9}
    views |= means | {"n_patients": 4, "note": "A sample.", "worst": {"auroc": None, "balanced_accuracy": None}}
    metrics["splits"]["test"]["shifts_sample"] = views
    storage.write_json(copied.metrics_file, metrics)
    text = report_page(read_contents(copied.path))
    shown = Page(text)
    assert "A sample." in shown.texts["shifts"] and "--shifts" not in shown.texts["missing"]
    cells = [one["style"] for one in shown.all("td") if one.get("class") == "heat-cell"]
    assert cells == ["--bad:50", "--bad:20", "--bad:0", "--bad:100"] * 2


def stored_audit():
    """An audit as `medxray explain audit` leaves it."""
    share = {"value": 0.1, "ci95": [0.05, 0.2], "n": 20, "changed": 2}
    model = {"auroc": {"value": 0.9, "ci95": None}, "balanced_accuracy": {"value": None, "ci95": None}, "n": 20}
    regions = ("border", "marker_region", "outside_lungs")
    report = {f"changed_by_{region}": share | {"mean_colour": share} for region in regions}
    report |= {"changed_by_lungs": share, "flipped_by_marker": share | {"by_severity": {"2": share}}}
    report |= {name: share | {"uniform": 0.36} for name in ("border_share", "outside_lungs_share")}
    report |= {"model": dict.fromkeys(("unchanged", "with_lungs", "without_lungs"), model), "constant_maps": 0}
    probe = model | {"note": ""}
    report |= {"shortcuts": {"size": probe, "border_pixels": probe, "judged": "judged by held-out patients"}}
    lungs = {"failed_images": 0, "found": 20, "failed": {}}
    return report | {"lung_fields": lungs, "n": 20, "partners": 1, "verdict": "Most answers move with <markers>."}


def test_both_operating_points_stand_side_by_side_or_the_report_says_why_there_is_one(copied):
    record, metrics = copied.read_record(), storage.read_json(copied.metrics_file)
    copied.update_record(config=record["config"] | {"decide_on": "clean"})
    figures = Page(report_page(read_contents(copied.path))).texts["figures"]
    assert "the only operating point" in figures and "shifted views too" not in figures
    copied.update_record(decision=record["decision"] | {"decided_on": "shifted"})
    share = {"value": 0.4375, "ci95": [0.25, 0.5]}
    other = {"decided_on": "clean", "threshold": {"value": 0.123, "rule": "youden", "chosen_on": "val"}, "ece": 0.0625}
    other |= dict.fromkeys(("accuracy", "sensitivity", "specificity"), share)
    metrics["splits"]["test"] |= {"decided_on": "shifted", "other_decision": other}
    storage.write_json(copied.metrics_file, metrics)
    figures = Page(report_page(read_contents(copied.path))).texts["figures"]
    assert "chosen on: val, shifted views too)" in figures and "the only operating point" not in figures
    for shown in ("unchanged images alone", "unchanged images and shifted views", "0.123", "0.438 [0.250, 0.500]"):
        assert shown in figures, shown
    assert "0.0625" in figures


def test_the_verdict_of_a_stored_audit_is_shown_with_its_figures(copied):
    storage.write_json(copied.own_evaluation("test").shortcut_audit.report_file, stored_audit())
    text = report_page(read_contents(copied.path))
    shown = Page(text)
    assert "<strong>Most answers move with &lt;markers&gt;.</strong>" in text
    assert "judged by held-out patients" in shown.texts["shortcuts"] and "2 of 20" in shown.texts["shortcuts"]
    assert "explain audit" not in shown.texts["missing"]


def test_the_newest_evaluation_of_the_split_is_shown(copied):
    again = copied.own_evaluation("test")
    metrics = storage.read_json(copied.metrics_file)
    metrics["splits"]["test"]["auroc"] = {"value": 0.12345, "ci95": None}
    storage.write_json(again.metrics_file, {"splits": {"test": metrics["splits"]["test"]}})
    shutil.copy(copied.predictions_file, again.predictions_file)
    assert "0.123" in Page(report_page(read_contents(copied.path))).texts["figures"]


def test_hostile_names_stay_text(tmp_path):
    run = write_stored_run(tmp_path, classes=HOSTILE, n=24)
    record = run.read_record()
    run.update_record(command=["medxray", HOSTILE[0]], environment={"platform": HOSTILE[1]})
    skipped = [{"path": f"{HOSTILE[1]}\n\x1b[31m.png", "reason": HOSTILE[0]}]
    run.update_record(data=record["data"] | {"skipped": skipped})
    storage.write_text(
        run.card_file, f"# {HOSTILE[0]}\n\n[link](https://example.org) ![x](https://example.org/x.png)\n"
    )
    keep_heats(run)
    text = report_page(read_contents(run.path))
    shown = Page(text)
    assert len(shown.all("script")) == 3 and "alert(1)</script>" not in text
    assert not any(name.startswith("on") for _, attributes in shown.elements for name in attributes)
    assert {one["src"].partition(":")[0] for one in shown.all("img")} == {"data"}
    assert all(one["href"].startswith("#") for one in shown.all("a")) and "\x1b" not in text
    assert HOSTILE[1] in data_of(text)["charts"]["scores"]["x"]["title"]


def test_three_classes_have_curves_each_and_a_matrix_without_a_slider(three_classes):
    text = report_page(read_contents(three_classes.path))
    shown, charts = Page(text), data_of(text)["charts"]
    assert "matrix" in shown.texts and "operating" not in data_of(text) and shown.all("input") == []
    names = [series["name"] for series in charts["roc"]["series"] if series["kind"] == "line"]
    assert [name.partition(":")[0] for name in names] == ["chance", "NORMAL", "BACTERIAL", "VIRAL"]
    assert len([one for one in shown.all("td") if "cell" in one.get("class", "")]) == 18
    assert "means over the classes" in shown.texts["figures"]


def test_images_that_are_gone_are_said_to_be(tmp_path):
    run = write_stored_run(tmp_path, images=False, n=20)
    shown = Page(report_page(read_contents(run.path)))
    assert shown.all("img") == [] and "cannot be read" in shown.texts["gallery"]


def test_plots_stand_in_for_images_that_are_gone(tmp_path):
    run = write_stored_run(tmp_path, images=False, n=20)
    for name in ("gallery", "errors"):
        write_image(run.plots / f"test_{name}.png", 0)
    shown = Page(report_page(read_contents(run.path)))
    assert [one["class"] for one in shown.all("img")] == ["stored", "stored"]
    assert "drawn when they were evaluated" in shown.texts["gallery"]


def test_a_split_of_one_class_has_no_curves_and_the_report_says_why(copied):
    from medxray.metrics.prediction_table import read_predictions, write_predictions
    from medxray.metrics.report import evaluate_split

    contents = read_contents(copied.path)
    one = read_predictions(copied.predictions_file)["test"].where(contents.predictions.y_true == 1)
    write_predictions(copied.predictions_file, [one], contents.decision)
    report = evaluate_split(one, contents.decision, n_boot=20)
    storage.write_json(copied.metrics_file, {"splits": {"test": report}})
    shown = Page(report_page(read_contents(copied.path)))
    assert "All images of the test split are of one class." in shown.texts["missing"]
    assert "operating" in shown.texts and "curves" not in shown.texts


def test_a_detector_has_a_report_too(tmp_path):
    run = write_stored_run(tmp_path, kind="anomaly", n=24)
    run.history_file.unlink()
    shown = Page(report_page(read_contents(run.path)))
    assert "not trained by epochs" in shown.texts["missing"] and "medxray anomaly map" in shown.texts["missing"]


@pytest.mark.parametrize(("kind", "command"), [("classifier", "medxray train"), ("anomaly", "medxray anomaly train")])
def test_an_unfinished_run_is_refused_with_the_command_that_finishes_it(copied, kind, command):
    copied.update_record(state="interrupted", type=kind)
    with pytest.raises(RunError, match=f"is interrupted: finish it with `{command} --resume "):
        write_report(copied.path)
    assert not copied.report_file.exists()


def test_damaged_parts_are_refused(copied):
    lines = copied.predictions_file.read_text(encoding="utf-8").splitlines(keepends=True)
    storage.write_text(copied.predictions_file, "".join(lines[:-1]))
    with pytest.raises(DataError, match="not of the same images of the test split"):
        write_report(copied.path)
    storage.write_text(copied.predictions_file, "".join(lines))
    copied.gallery_file.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(DataError, match="gallery.npz is damaged"):
        write_report(copied.path)


def test_runs_stand_side_by_side(stored_run, tmp_path):
    other = write_stored_run(tmp_path, seed=5)
    beside = functools.partial(comparison, others=[other.path], common=False)
    text = report_page(read_contents(stored_run.path), beside=beside)
    assert "Tests of each pair" in Page(text).texts["comparison"]
    drawn = data_of(text)["charts"]
    assert len(drawn["compared"]["series"]) == 2 and len(drawn["compared-roc"]["series"]) == 3


def test_the_command_writes_the_file_and_names_it(medxray, stored_run, tmp_path):
    status, out, err = medxray("report", stored_run.path, "--out", tmp_path / "page.html")
    assert (status, out) == (0, f"{tmp_path / 'page.html'}\n") and (tmp_path / "page.html").exists()
    status, _, err = medxray("report", stored_run.path, stored_run.path)
    assert status == 2 and "--compare RUN..." in err
    status, _, err = medxray("report", stored_run.path, "--compare")
    assert status == 2 and err.count("\n") == 1
    status, _, err = medxray("report", tmp_path / "none")
    assert status == 1 and err.startswith("Error: There is no run at ")


def test_wide_and_high_images_keep_their_form(tmp_path):
    run = write_stored_run(tmp_path, n=20)
    for number, path in enumerate(read_contents(run.path).predictions.paths):
        write_image(tmp_path / "images" / path, number, height=20, width=100)
    pictures = Page(report_page(read_contents(run.path))).all("img")
    assert {(one["width"], one["height"]) for one in pictures} == {("100", "20")}
