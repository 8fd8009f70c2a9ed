"""The command: one object, its files, and a line in record, notes and model card."""

import json

import cv2
import pytest

from medxray.data.phantom.draw import render_phantom
from medxray.plots.audit import ChangesDisplay
from medxray.system import storage
from tests.fixtures.small_runs import write_phantom_run

CARD = "# Model card: a\n\n## Caveats\n\n- One.\n- Two.\n"


@pytest.fixture(scope="module")
def phantom_run(phantoms, tmp_path_factory):
    run = write_phantom_run(tmp_path_factory.mktemp("audit") / "run", phantoms / "chest_xray" / "train", size=64)
    storage.write_text(run.card_file, CARD)
    return run


def test_the_command_prints_one_object_and_notes_the_verdict_in_the_run(medxray, phantom_run, colliding_texts):
    status, out, err = medxray("explain", "audit", phantom_run.path, "--images", 12, "--json")
    assert status == 0, err
    report, folder = json.loads(out), phantom_run.path / "evaluations" / "test" / "audit"
    assert json.loads((folder / "audit.json").read_text()) == report
    assert {file.name for file in folder.iterdir()} == {"audit.json", "changes.png", "examples.png", "lungs.png"}
    assert set(report["border_share"]) == set(report["outside_lungs_share"]) == {"value", "ci95", "n", "uniform"}
    assert report["changed_by_border"]["value"] == 0 and report["changed_by_border"]["ci95"][0] == 0
    assert report["classes"] == {"NORMAL": 6, "PNEUMONIA": 6} and "12 of 67 images." in err
    assert report["shortcuts"]["judged"] == "cross-validated by patient"
    assert colliding_texts(ChangesDisplay(report).plot()) == []

    from medxray import api

    line = f"Shortcut audit of 12 images: {report['verdict']}"
    assert api.load_run(phantom_run.path).own_notes("test") == [line] and api.load_run(phantom_run.path).notes == ()
    card = phantom_run.card_file.read_text().splitlines()
    assert card[4].startswith("- **Shortcut audit** (test, 12 images): No answer moves") and card[5:] == [
        "- One.",
        "- Two.",
    ]


@pytest.mark.slow
def test_the_command_prints_tables_and_a_verdict_and_leaves_the_run_alone_with_out(medxray, phantom_run, tmp_path):
    before = phantom_run.record_file.read_bytes()
    words = ("--images", 4, "--out", tmp_path / "out", "--seed", 1)
    status, out, err = medxray("explain", "audit", phantom_run.path, *words)
    assert status == 0, err
    lines = out.splitlines()
    assert lines[0] == "4 of 67 images, of 4 patients (2 NORMAL, 2 PNEUMONIA); gradcam for PNEUMONIA"
    assert lines[-2].startswith("No answer moves with ") and lines[-1] == f"Written to {tmp_path / 'out'}"
    assert phantom_run.record_file.read_bytes() == before and (tmp_path / "out" / "audit.json").exists()


def test_an_audit_of_other_data_lies_beside_the_run_and_names_what_cannot_be_read(medxray, phantom_run, tmp_path):
    before = phantom_run.record_file.read_bytes()
    for number in range(8):
        file = tmp_path / "clinic" / ("NORMAL", "PNEUMONIA")[number % 2] / f"{number}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        image, _ = render_phantom("normal", size=64, patient_seed=number, image_seed=number)
        cv2.imwrite(str(file), image)
    file.write_bytes(file.read_bytes()[:200])
    status, out, err = medxray("explain", "audit", phantom_run.path, "--data", tmp_path / "clinic", "--json")
    assert status == 0, err
    report = json.loads(out)
    assert report["data"] == str(tmp_path / "clinic") and report["n"] == report["available"] - 1 == 7
    assert "7.png" in err and [name.rsplit("/")[-1] for name in report["left_out"]] == ["7.png"]
    assert report["shortcuts"]["judged"] == "cross-validated by patient"
    (folder,) = (phantom_run.path / "external").glob("clinic-*-test/audit")
    assert json.loads((folder / "audit.json").read_text()) == report
    assert phantom_run.record_file.read_bytes() == before


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--method", "lime"), 2, "--method must be one of gradcam,"),
        (("--images", "1"), 2, "1 is not in the range x>=2"),
        (("--split", "val"), 1, "Name another --split"),
        (("--data", "gone"), 1, "gone"),
        (("--label-map", "a=NORMAL"), 2, "--label-map says how --data is read"),
    ],
)
def test_impossible_wishes_end_with_one_line(medxray, phantom_run, words, status, message):
    found, out, err = medxray("explain", "audit", phantom_run.path, *words)
    assert found == status and out == ""
    assert message in err.splitlines()[-1] and err.splitlines()[-1].startswith("Error: ")


@pytest.mark.slow
def test_three_classes_without_lungs_are_audited_too(subtype_run, tmp_path, caplog):
    from medxray.explain.audit.audit import write_audit

    report, folder = write_audit(subtype_run, out=tmp_path / "out")
    assert report["n"] == 6 and report["explained"] == "the predicted class"
    assert report["lung_fields"]["found"] == 0 and "Not tested, since no lungs were found" in report["verdict"]
    assert report["model"]["unchanged"]["auroc"]["value"] is not None and (folder / "lungs.png").exists()
