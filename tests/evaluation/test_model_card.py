"""The model card states what it must, and hostile text cannot break it."""

import pytest

from medxray.anomaly.card import CARD as DETECTOR
from medxray.classifier.card import CARD as CLASSIFIER
from medxray.evaluation.model_card import model_card
from medxray.metrics.decision import Decision, fit_decision
from medxray.metrics.intervals import estimate_text
from medxray.metrics.report import evaluate_split

SECTIONS = (
    "Model details",
    "Intended use",
    "Out of scope",
    "Data",
    "Operating point and calibration",
    "Performance",
    "Subgroups",
    "Caveats",
)


@pytest.fixture
def record():
    return {
        "name": "vgg16-finetune",
        "created": "2026-01-02T03:04:05+00:00",
        "config": {"arch": "vgg16", "mode": "finetune", "augment": "standard", "seed": 0},
        "environment": {"python": "3.11.9", "packages": {"tensorflow": "2.21.0"}, "git_commit": "abc123"},
        "weights": {"kind": "file", "path": "vgg16.weights.h5", "sha256": "f00d"},
        "data": {
            "root": "data/chest_xray",
            "task": "pneumonia",
            "classes": ["NORMAL", "PNEUMONIA"],
            "positive": "PNEUMONIA",
            "grouped": True,
            "manifest_sha256": "c0ffee",
            "counts": [{"split": "train", "label": "NORMAL", "images": 123, "patients": 45}],
            "skipped": [{"path": "a.txt", "reason": "text"}],
            "preprocessing": {"image_size": 224, "resize": "letterbox"},
        },
    }


@pytest.fixture
def evaluated(simulate, record):
    decision = fit_decision(simulate(200, split="val"))
    report = evaluate_split(simulate(100), decision, n_boot=50)
    return {**record, "decision": decision.to_dict()}, {"splits": {"test": report}}


def test_card_has_every_section_and_the_facts_of_the_run(evaluated):
    card = model_card(*evaluated, CLASSIFIER)
    assert [line[3:] for line in card.splitlines() if line.startswith("## ")] == list(SECTIONS)
    for fact in (
        "vgg16",
        "finetune",
        "c0ffee",
        "f00d",
        "| train | NORMAL | 123 | 45 |",
        "letterbox",
        "2.21.0",
        "abc123",
    ):
        assert fact in card, fact
    assert card.count("not a medical device") == 1


def test_card_states_threshold_calibration_and_figures_with_intervals(evaluated):
    record, metrics = evaluated
    card, report = model_card(record, metrics, CLASSIFIER), metrics["splits"]["test"]
    assert f"**{record['decision']['threshold']['value']:.6g}**" in card
    assert f"T = **{record['decision']['temperature']:.6g}** and b = **0, {record['decision']['bias'][1]:.6g}**" in card
    low, high = report["auroc"]["ci95"]
    assert f"| AUROC | {report['auroc']['value']:.3f} [{low:.3f}, {high:.3f}] |" in card
    assert "| test | subtype | virus |" in card


def test_card_has_the_means_of_the_sample_of_shifted_views_and_what_was_taken(evaluated):
    record, metrics = evaluated
    figure, view = {"value": 0.75, "ci95": [0.5, 0.875]}, {"family": "crop", "severity": 2, "value": 0.5, "ci95": None}
    sample = {"mean_auroc": figure, "balanced_accuracy": figure, "mean_ece": 0.125, "n": 8, "n_patients": 4}
    sample |= {
        "worst": {"auroc": view, "balanced_accuracy": None},
        "families": {"crop": {"2": {}}},
        "note": "Of a few.",
    }
    assert "Shifted views" not in model_card(record, metrics, CLASSIFIER)
    metrics["splits"]["test"]["shifts_sample"] = sample
    (line,) = [line for line in model_card(record, metrics, CLASSIFIER).splitlines() if "Shifted views" in line]
    assert "AUROC 0.750" in line and "ECE 0.125" in line and "0.500 (crop, severity 2)" in line
    assert "of 8 images of 4 patients" in line and line.endswith("Of a few.")


def test_unknown_patients_and_notes_become_caveats(evaluated):
    record, metrics = evaluated
    assert "Patients are unknown" not in model_card(record, metrics, CLASSIFIER)
    record["data"]["grouped"] = False
    metrics["splits"]["test"]["notes"] = ["Something to know."]
    card = model_card(record, metrics, CLASSIFIER)
    assert "**Patients are unknown**" in card and "- test: Something to know." in card


def test_messages_of_the_decision_are_repeated(record):
    decision = Decision(None, messages=("Validation has too few images.",))
    card = model_card({**record, "decision": decision.to_dict()}, {"splits": {}}, CLASSIFIER)
    assert "Validation has too few images." in card and "most probable class" in card and "Not evaluated." in card


def test_an_empty_record_still_gives_a_card():
    card = model_card({}, {}, CLASSIFIER)
    assert all(f"## {section}" in card for section in SECTIONS) and "not recorded" in card


def test_text_from_files_cannot_break_tables_or_start_markup(record):
    record["data"]["root"] = "a|b\n# Title [x](http://y) <script>`"
    card = model_card(record, {"splits": {}}, CLASSIFIER)
    line = next(line for line in card.splitlines() if "Title" in line)
    assert line == r"| source | a\|b \# Title \[x\](http://y) \<script\>\` |"


@pytest.fixture
def detector(record):
    del record["weights"], record["config"]["mode"], record["config"]["arch"]
    unit = {"mean": 0.25, "deviation": 0.125}
    facts = {"fitted_on": 123, "raw_score_of_normals": unit}
    options = {"method": "autoencoder", "loss": "ssim", "bottleneck": 32, "standardize": True, "epochs": 9}
    config = {**record["config"], "augment": "none", **options}
    return {**record, "type": "anomaly", "best_epoch": 7, "config": config, "anomaly": facts}


def test_card_of_an_autoencoder_tells_what_it_was_fitted_on_and_nothing_of_classifiers(detector):
    card = model_card(detector, {"splits": {}}, DETECTOR)
    assert "plain mean squared error" not in card
    assert "training mode" not in card and "architecture" not in card and "initial weights" not in card
    assert "not recorded" not in card.replace("| device | not recorded |", "")
    for fact in (
        "| options | loss ssim, bottleneck 32, standardize True, augment none, epochs 9 |",
        "| best epoch | 7 |",
        "Fitted on **123** normal training images and no abnormal one.",
        "(raw score - 0.25) / 0.125",
        "differ from the healthy ones",
        "A high score means unlike the normal images of the training, not ill",
    ):
        assert fact in card, fact
    assert card.count("not a medical device") == 1 and "look at the heatmaps" not in card


def test_card_of_an_autoencoder_compares_with_the_plain_error(detector, evaluated):
    plain = {"val": {"value": 0.4, "ci95": [0.3, 0.5]}, "test": {"value": None, "ci95": None}}
    (report,) = evaluated[1]["splits"].values()
    reports = {split: report | {"plain_mse_auroc": auroc} for split, auroc in plain.items()}
    assert "for comparison: val 0.400 [0.300, 0.500], test null." in model_card(detector, {"splits": reports}, DETECTOR)


@pytest.mark.parametrize(("method", "option"), [("padim", "dimensions"), ("patchcore", "coreset")])
def test_card_of_a_patch_method_names_backbone_and_weights(detector, method, option):
    detector["config"] |= {"method": method, "arch": "vgg16", "image_score": "mean", "patch_scale": "none", option: 5}
    detector["weights"] = {"kind": "file", "path": "vgg16.weights.h5", "sha256": "f00d"}
    card = model_card(detector, {"splits": {}}, DETECTOR)
    options = f"| options | image_score mean, patch_scale none, {option} 5 |"
    for fact in (options, "| backbone | vgg16 |", "vgg16.weights.h5, SHA-256 f00d |"):
        assert fact in card, fact
    assert ("mean Mahalanobis distance" if method == "padim" else "mean distance of its patches to the memory") in card
    assert "best epoch" not in card and "plain mean squared error" not in card and "trained with labels" not in card
    detector["config"]["backbone"] = "runs/vgg16-finetune"
    assert "which was trained with labels" in model_card(detector, {"splits": {}}, DETECTOR)


def test_card_of_a_detector_says_what_labelled_images_chose(detector, simulate):
    fitted = fit_decision(simulate(200, split="val"))
    chosen = model_card({**detector, "decision": fitted.to_dict()}, {"splits": {}}, DETECTOR)
    assert "Labelled validation images, normal and abnormal, chose the threshold and the calibration." in chosen
    half = fit_decision(simulate(200, split="val"), rule="0.5")
    assert "and abnormal, chose the calibration." in model_card({**detector, "decision": half.to_dict()}, {}, DETECTOR)
    scarce = fit_decision(simulate(20, split="val"))
    text = model_card({**detector, "decision": scarce.to_dict()}, {"splits": {}}, DETECTOR)
    assert "Neither threshold nor calibration was chosen with labelled images." in text


def test_card_of_three_classes_has_each_class_and_says_nothing_of_a_threshold(record, simulate):
    decision = fit_decision(simulate(300, k=3, split="val"))
    report = evaluate_split(simulate(90, k=3), decision, n_boot=50)
    record["data"] |= {"classes": report["classes"], "positive": None, "task": "pneumonia-subtype"}
    card = model_card({**record, "decision": decision.to_dict()}, {"splits": {"test": report}}, CLASSIFIER)
    for name, entry in report["per_class"].items():
        auroc = estimate_text(entry["auroc"])
        assert f"| test | {name} | {entry['n']} | {entry['n_patients']} | {auroc} |" in card
    assert "means over the classes" in card and "the shares of the classes" in card
    assert "The threshold and calibration" not in card and "ppv_npv" not in card


def test_card_of_two_classes_has_no_table_of_classes(evaluated):
    card = model_card(*evaluated, CLASSIFIER)
    assert "| split | class | images | patients | AUROC |" not in card and "ppv_npv_at_prevalence" in card
