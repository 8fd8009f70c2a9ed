"""What a model card says of a shortcut audit."""

from medxray.classifier.card import CARD
from medxray.evaluation.audit_note import audit_lines, note_audit, with_audit_lines
from medxray.evaluation.model_card import model_card
from medxray.runs.directory import RunDir
from medxray.system import storage

RECORD = {"shortcut_audits": {"test": {"n": 8, "verdict": "No answer moves [a|b]."}}}
LINE = "- **Shortcut audit** (test, 8 images): No answer moves \\[a\\|b\\]."


def test_a_new_card_has_a_line_for_each_audit():
    assert audit_lines(RECORD) == [LINE] and audit_lines({}) == []
    card = model_card(RECORD, {}, CARD)
    assert f"## Caveats\n\n{LINE}\n" in card


def test_a_later_audit_takes_the_place_of_the_earlier_one_and_the_rest_stays():
    card = model_card(RECORD, {}, CARD)
    assert with_audit_lines(card, [LINE]) == card
    assert with_audit_lines(card, ["- **Shortcut audit** new"]) == card.replace(LINE, "- **Shortcut audit** new")
    assert with_audit_lines(model_card({}, {}, CARD), [LINE]) == card
    assert with_audit_lines("# My own card\n", [LINE]) is None


def test_the_record_keeps_audits_of_other_splits_and_a_card_of_another_form_is_told_of(tmp_path, caplog):
    run = RunDir(tmp_path)
    storage.write_json(run.record_file, {"kind": "medxray-run", "state": "completed", "config": {}, **RECORD})
    storage.write_text(run.card_file, "# My own card\n")
    note_audit(run, "val", {"n": 4, "verdict": "One.", "more": 1})
    assert run.read_record()["shortcut_audits"] == RECORD["shortcut_audits"] | {"val": {"n": 4, "verdict": "One."}}
    assert "has no section Caveats" in caplog.text and run.card_file.read_text() == "# My own card\n"
