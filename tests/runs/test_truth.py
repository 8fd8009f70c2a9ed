import logging
import types
from pathlib import Path

from medxray.runs.truth import listed_files, true_labels


def fake_run(folder, csv, classes=("NORMAL", "PNEUMONIA")):
    """Only what truth.py looks at."""
    (folder / "run").mkdir()
    (folder / "run" / "split.csv").write_text(csv)
    return types.SimpleNamespace(path=folder / "run", classes=classes, record={"data": {"root": str(folder / "data")}})


def test_true_label_comes_from_the_split_file_before_the_folder(tmp_path):
    run = fake_run(tmp_path, f"path,label,split\na/x.png,PNEUMONIA,test\n{tmp_path}/far/NORMAL/y.png,PNEUMONIA,val\n")
    files = [tmp_path / "data/a/x.png", tmp_path / "far/NORMAL/y.png", tmp_path / "far/NORMAL/z.png"]
    assert true_labels(run, files) == ["PNEUMONIA", "PNEUMONIA", "NORMAL"]


def test_folder_names_count_in_any_case_and_other_folders_say_nothing(tmp_path):
    run = fake_run(tmp_path, "path,label,split\n")
    assert true_labels(run, [tmp_path / "pneumonia/x.png", tmp_path / "sick/x.png"]) == ["PNEUMONIA", None]


def test_relative_paths_mean_the_current_folder(tmp_path, monkeypatch):
    run = fake_run(tmp_path, "path,label,split\nx.png,NORMAL,test\n")
    monkeypatch.chdir(tmp_path)
    assert true_labels(run, [Path("data/x.png"), Path("data/../data/x.png")]) == ["NORMAL", "NORMAL"]


def test_labels_that_are_no_class_of_the_model_are_left_out(tmp_path):
    run = fake_run(tmp_path, "path,label,split\nx.png,COVID,test\ny.png,NORMAL,test\n")
    assert [row.path.name for row in listed_files(run)] == ["y.png"]


def test_damaged_split_file_means_unknown_and_a_warning(tmp_path, caplog):
    run = fake_run(tmp_path, "a,b\n1,2\n")
    with caplog.at_level(logging.WARNING, "medxray"):
        assert true_labels(run, [tmp_path / "data/x.png"]) == [None]
    assert "split.csv cannot be read" in caplog.text
