"""The model card states what it must, and hostile text cannot break it."""

import pytest

from medxray.evaluate.decision import Decision, fit_decision
from medxray.evaluate.model_card import model_card
from medxray.evaluate.report import evaluate_split

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
    card = model_card(*evaluated)
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
    card, report = model_card(record, metrics), metrics["splits"]["test"]
    assert f"**{record['decision']['threshold']['value']:.6g}**" in card
    assert f"T = **{record['decision']['temperature']:.6g}** and b = **0, {record['decision']['bias'][1]:.6g}**" in card
    low, high = report["auroc"]["ci95"]
    assert f"| AUROC | {report['auroc']['value']:.3f} [{low:.3f}, {high:.3f}] |" in card
    assert "| test | subtype | virus |" in card


def test_unknown_patients_and_notes_become_caveats(evaluated):
    record, metrics = evaluated
    assert "Patients are unknown" not in model_card(record, metrics)
    record["data"]["grouped"] = False
    metrics["splits"]["test"]["notes"] = ["Something to know."]
    card = model_card(record, metrics)
    assert "**Patients are unknown**" in card and "- test: Something to know." in card


def test_messages_of_the_decision_are_repeated(record):
    decision = Decision(None, messages=("Validation has too few images.",))
    card = model_card({**record, "decision": decision.to_dict()}, {"splits": {}})
    assert "Validation has too few images." in card and "most probable class" in card and "Not evaluated." in card


def test_an_empty_record_still_gives_a_card():
    card = model_card({}, {})
    assert all(f"## {section}" in card for section in SECTIONS) and "not recorded" in card


def test_text_from_files_cannot_break_tables_or_start_markup(record):
    record["data"]["root"] = "a|b\n# Title [x](http://y) <script>`"
    card = model_card(record, {"splits": {}})
    line = next(line for line in card.splitlines() if "Title" in line)
    assert line == r"| source | a\|b \# Title \[x\](http://y) \<script\>\` |"
