import json
import subprocess
import sys

import pytest
from click.testing import CliRunner

from medxray.cli.data import data
from medxray.errors import ConfigError, DataError, MedxrayError


def run(*arguments):
    return CliRunner().invoke(data, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def report(phantoms):
    """What inspect prints about the phantoms."""
    result = run("inspect", phantoms)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_report_names_counts_sizes_and_findings(report, phantoms):
    assert f"Dataset        {phantoms}/chest_xray" in report
    assert "Task           pneumonia: NORMAL, PNEUMONIA (positive)" in report
    assert "of 30 patients" in report
    assert "Patient ids    known" in report
    for words in (
        "Skipped        0 files",
        "Byte-identical files: none",
        "Patients in two splits: 0",
        "Size-only AUROC: 0.",
    ):
        assert words in report


def test_table_columns_are_aligned(report):
    lines = report.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("split"))
    assert lines[start].split() == ["split", "class", "images", "patients"]
    assert [line.split()[:2] for line in lines[start + 1 : start + 3]] == [["train", "NORMAL"], ["train", "PNEUMONIA"]]
    assert len({len(line) for line in lines[start : start + 3]}) == 1


def test_json_is_one_object_and_nothing_else(phantoms):
    facts = json.loads(run("inspect", phantoms, "--json").stdout)
    assert facts["patients"] == 30
    assert facts["size_auroc"]["warning"] in (True, False)
    assert set(facts) >= {"counts", "sizes", "skipped", "duplicates", "near_duplicates", "patients_in_two_splits"}


def test_report_warns_of_shared_patients_duplicates_and_unknown_ids(make_tree):
    folder = make_tree(
        *(f"train/NORMAL/IM-{n:04d}-0001.png" for n in range(4)),
        "train/NORMAL/other.png",
        *(f"train/PNEUMONIA/person{n}_virus_{n}.png" for n in range(4)),
        "test/NORMAL/IM-0001-0002.png",
        "test/PNEUMONIA/person2_bacteria_9.png",
    )
    for target in ("test/NORMAL/IM-0002-0002.png", "train/PNEUMONIA/person7_virus_7.png"):
        (folder / target).write_bytes((folder / "train/NORMAL/IM-0002-0001.png").read_bytes())
    (folder / "train/NORMAL/text.png").write_text("text")
    output = run("inspect", folder).stdout
    assert "unknown for 1 images, each counted as a patient of its own" in output
    assert "1 groups of 3 files; 0 within one split, 1 across splits, 1 across labels, 1 across patients" in output
    assert "Warning: the same picture lies in two splits" in output
    assert "Warning: the same picture has two labels" in output
    assert "Patients in two splits: 2" in output
    assert "IM-0001: train+test, 2 images" in output
    assert "1 patient numbers more recur with another subtype" in output
    assert "train/NORMAL/text.png: not an image" in output


def test_strict_and_missing_data_raise_what_the_command_line_turns_into_one_line(make_tree, tmp_path):
    folder = make_tree("NORMAL/a.png", "PNEUMONIA/b.png")
    (folder / "NORMAL" / "c.png").write_text("text")
    assert isinstance(run("inspect", folder, "--strict").exception, DataError)
    assert isinstance(run("inspect", tmp_path / "none").exception, DataError)
    assert isinstance(run("inspect", folder, "--positive", "x").exception, ConfigError)


def test_csv_is_inspected_by_its_columns(make_tree):
    folder = make_tree(*(f"x{n}.png" for n in range(6)))
    rows = [f"x{n}.png,{'edema' if n % 2 else 'none'},{n}" for n in range(6)]
    (folder / "labels.csv").write_text("\n".join(["file,label,child", *rows]))
    columns = ("--path-col", "file", "--label-col", "label", "--patient-col", "child")
    output = run("inspect", folder / "labels.csv", *columns).stdout
    assert "Task           folders: none, edema (positive)" in output
    assert "Images         6 of 6 patients" in output


def test_phantom_command_writes_and_says_where(tmp_path):
    result = run("phantom", tmp_path / "set", "--patients", 3, "--size", 64, "--seed", 2)
    assert result.exit_code == 0
    assert f"synthetic images of 3 patients in {tmp_path}/set/chest_xray" in result.stdout
    again = run("phantom", tmp_path / "set", "--patients", 3, "--size", 64)
    assert isinstance(again.exception, MedxrayError)
    assert run("phantom", tmp_path / "set", "--patients", 2, "--size", 64, "--overwrite").exit_code == 0


def test_without_data_the_default_folder_is_named_with_the_remedy(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = str(run("inspect").exception)
    for words in ("data does not exist", "paultimothymooney/chest-xray-pneumonia", "medxray data phantom data"):
        assert words in message
    assert "\n" not in message


def test_data_rooms_do_not_import_tensorflow():
    code = (
        "import sys, medxray.data.layouts.sources, medxray.data.splits, medxray.data.audit.findings, "
        "medxray.data.phantom.draw, "
        "medxray.data.images.files, medxray.data.images.dicom, medxray.cli.data; assert 'tensorflow' not in sys.modules"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_class_without_images_is_warned_of(make_tree):
    output = run(
        "inspect", make_tree("train/PNEUMONIA/person1_virus_1.png", "train/PNEUMONIA/person2_virus_1.png")
    ).stdout
    assert "Warning: there is no image of class NORMAL." in output
    assert "Size-only AUROC: unknown, there is one class only" in output


def test_what_a_table_and_its_masks_leave_out_is_told_by_inspect(make_tree):
    folder = make_tree(*(f"images/{n}.png" for n in range(8)), "images/0_mask.png")
    rows = [f"{n}.png;{('No Finding', 'Mass|Nodule', 'Effusion', '')[n % 4]}" for n in range(8)]
    (folder / "t.csv").write_text("\n".join(["Image Index;Finding Labels;", *rows]))
    columns = ("--path-col", "Image Index", "--label-col", "Finding Labels", "--image-root", folder / "images")
    result = run("inspect", folder / "t.csv", *columns, "--positive-finding", "nodule")
    assert result.exit_code == 0, result.output
    assert "Task           folders: No Nodule, Nodule (positive)" in result.stdout
    assert "Not counted\n  t.csv: 2 rows without a label left out (first: t.csv row 5)" in result.stdout
    assert run("inspect", folder / "t.csv", *columns, "--uncertain", "perhaps").exit_code == 2
