"""The commands as a user types them: output, exit status, and what bad input says."""

import json
import os
import shutil
import subprocess
import sys

import click
import cv2
import numpy as np
import pandas as pd
import pytest

from medxray.cli import cli
from medxray.models.classifier import build_classifier


@pytest.fixture
def images(phantoms, tmp_path):
    """Four phantom images, a text file named .png and a truncated JPEG."""
    folder = tmp_path / "images"
    folder.mkdir()
    files = sorted(phantoms.rglob("*.jpeg"))[:4]
    for file in files:
        shutil.copy(file, folder)
    (folder / "text.png").write_text("no image")
    (folder / "half.jpeg").write_bytes(files[0].read_bytes()[:400])
    return folder


def subprocess_medxray(*words, **options):
    code = "import sys; sys.argv[0] = 'medxray'; from medxray.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *map(str, words)], capture_output=True, text=True, **options)


def one_line(err):
    return len(err.strip().splitlines()) == 1 and "Traceback" not in err


def test_help_imports_no_tensorflow():
    code = (
        "import sys; sys.argv = ['medxray', '--help']\nfrom medxray.cli import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'numpy', 'sklearn', 'matplotlib', 'cv2', 'pydicom', 'scipy'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def test_every_command_and_option_has_a_help_text():
    def walk(command, name):
        assert command.help, name
        for parameter in command.params:
            assert isinstance(parameter, click.Argument) or parameter.help, f"{name} {parameter.name}"
        for child, sub in getattr(command, "commands", {}).items():
            walk(sub, f"{name} {child}")

    walk(cli, "medxray")


@pytest.mark.slow
def test_terminal_shows_no_line_of_tensorflow(trained, images):
    answer = subprocess_medxray("predict", next(images.glob("*.jpeg")), "--model", trained.path)
    lines = answer.stderr.splitlines()
    assert answer.returncode == 0 and lines == []


def test_train_writes_the_whole_run(trained):
    names = {"run.json", "split.csv", "history.csv", "predictions.csv", "metrics.json", "model.keras", "model_card.md"}
    assert names <= {file.name for file in trained.path.iterdir()}
    assert not list(trained.path.glob("**/.partial-*")) and not (trained.path / "checkpoint").exists()
    assert (trained.path / "plots" / "test_roc.png").exists()
    record = trained.directory.read_record()
    assert record["state"] == "completed" and record["data"]["grouped"] is True
    assert record["weights"]["kind"] == "none" and record["config"]["views"] == 2
    assert set(record["seconds"]) >= {"data", "prefix", "head", "main", "evaluate", "export"}
    assert (trained.path.parent / "latest").resolve() == trained.path.resolve()


def test_predict_prints_labels_and_lists_unreadable_files(medxray, trained, images):
    status, out, err = medxray("predict", images, "--model", trained.path)
    assert status == 1
    assert len(out.splitlines()) == 4
    assert {line.split(": ")[1] for line in err.splitlines()} == {str(images / "text.png"), str(images / "half.jpeg")}


def test_predict_csv_and_json_agree_and_follow_the_threshold(medxray, trained, images, tmp_path):
    status, out, _ = medxray("predict", images, "--model", trained.path, "--json", "--csv", tmp_path / "a.csv")
    rows, table = json.loads(out), pd.read_csv(tmp_path / "a.csv")
    fixed = ["path", "label", "probability", "raw_probability", "threshold", "error"]
    gate = ["gate_score", "in_distribution", "gate_reason"]
    assert status == 1 and list(table) == [*fixed, "probability_NORMAL", "probability_PNEUMONIA", *gate]
    good = table[table["error"].isna()]
    answered = [row["probability"] for row in rows if not row["error"]]
    np.testing.assert_allclose(answered, good["probability"], rtol=1e-14)  # pandas 2 reads the last digit otherwise
    assert all(row["probability"] is None and row["label"] == "" for row in rows if row["error"])
    np.testing.assert_allclose(good["probability_NORMAL"] + good["probability_PNEUMONIA"], 1, atol=1e-9)
    expected = np.where(good["probability"] >= good["threshold"], "PNEUMONIA", "NORMAL")
    assert list(good["label"]) == list(expected)


def test_evaluate_prints_exactly_one_json_object(medxray, trained):
    status, out, _ = medxray("evaluate", trained.path, "--json")
    report = json.loads(out)
    assert status == 0 and report["split"] == "test" and report["positive"] == "PNEUMONIA"
    stored = json.loads((trained.path / "metrics.json").read_text())["splits"]["test"]
    assert report["confusion_matrix"] == stored["confusion_matrix"]
    assert report["auroc"]["value"] == pytest.approx(stored["auroc"]["value"], abs=1e-3)
    for name in (
        "auroc",
        "accuracy",
        "sensitivity",
        "specificity",
        "precision",
        "f1",
        "average_precision",
        "balanced_accuracy",
        "mcc",
        "brier",
    ):
        assert set(report[name]) >= {"value", "ci95"}
    assert set(report["calibration"]) >= {"temperature", "bias", "ece_before", "ece_after"}
    folder = trained.path / "evaluations" / "test"
    assert (folder / "metrics.json").exists() and (folder / "plots" / "test_roc.png").exists()


def test_evaluate_leaves_out_images_the_run_was_trained_on(medxray, trained, phantoms, tmp_path, without_plots):
    shutil.copytree(phantoms, tmp_path / "copy")
    words = ("evaluate", trained.path, "--data", tmp_path / "copy")
    status, out, err = medxray(*words, "--split", "train", "--json")
    own = json.loads((trained.path / "metrics.json").read_text())["splits"]
    assert status == 0 and json.loads(out)["n"] == own["test"]["n"]
    assert "are the same files as training or validation images and are left out" in err
    status, _, err = medxray(*words)
    assert status == 1 and "has no test split, but: train. Name one with --split" in err.splitlines()[-1]


def test_evaluate_knows_the_data_of_the_run_and_keeps_its_split(medxray, trained, phantoms, without_plots):
    status, out, err = medxray("evaluate", trained.path, "--data", phantoms, "--json")
    own = json.loads((trained.path / "metrics.json").read_text())["splits"]
    assert status == 0 and json.loads(out)["confusion_matrix"] == own["test"]["confusion_matrix"]
    assert "is the data of this run: its own test split is evaluated" in err


def test_evaluate_takes_a_folder_with_only_a_test_split_and_mapped_labels(medxray, trained, tmp_path, without_plots):
    from medxray.data.phantom.draw import generate_phantoms

    generate_phantoms(tmp_path / "new", patients=8, size=64, seed=99)
    shutil.move(tmp_path / "new" / "chest_xray" / "train", tmp_path / "other" / "test")
    (tmp_path / "other" / "test" / "NORMAL").rename(tmp_path / "other" / "test" / "fine")
    words = ("evaluate", trained.path, "--data", tmp_path / "other")
    status, _, err = medxray(*words)
    assert status == 1 and one_line(err.splitlines()[-1]) and "--label-map" in err
    status, out, _ = medxray(*words, "--label-map", "fine=NORMAL", "--json")
    assert status == 0 and json.loads(out)["n"] == len(list((tmp_path / "other").rglob("*.jpeg")))
    assert len(list(trained.path.glob("external/other-*-test/metrics.json"))) == 1


def test_cache_list_and_clear(medxray, tmp_path):
    from medxray.training.prefix_cache import Entry, EntryKey

    Entry(tmp_path, EntryKey("a", (4,), "vgg16 pooled unchanged")).append(["0" * 64, "1" * 64], np.ones((2, 4)))
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "entry.json").write_text('{"label": "vgg16 pooled test", "rows": 2, "chunks": [[2, 5]]}')
    status, out, _ = medxray("cache", "list", "--cache-dir", tmp_path)
    assert status == 0 and "2 images               vgg16 pooled unchanged" in out and "2 entries" in out
    assert "old, not used any more vgg16 pooled test" in out
    status, out, _ = medxray("cache", "clear", "--cache-dir", tmp_path, "--unused-days", 3)
    assert status == 0 and "Removed 1 entries" in out and list(tmp_path.glob("*/rows.f16"))
    status, out, _ = medxray("cache", "clear", "--cache-dir", tmp_path)
    assert status == 0 and "Removed 1 entries" in out and not list(tmp_path.glob("*/rows.f16"))


_COLUMNS = ("--path-col", "path", "--label-col", "label", "--task", "folders")


@pytest.fixture
def bad_data(tmp_path):
    """Folders that cannot be trained on."""
    for name in ("empty", "one/NORMAL", "few/NORMAL", "few/PNEUMONIA"):
        (tmp_path / name).mkdir(parents=True)
    noise = np.random.default_rng(0)
    for number in range(12):
        cv2.imwrite(str(tmp_path / "one" / "NORMAL" / f"IM-{number:04}-0001.jpeg"), noise.integers(0, 255, (64, 64)))
        cv2.imwrite(str(tmp_path / "few" / "NORMAL" / f"IM-{number:04}-0001.jpeg"), noise.integers(0, 255, (64, 64)))
    for number in range(12):
        (tmp_path / "few" / "PNEUMONIA" / f"person{number}_virus_1.jpeg").write_text("text")
    labels = ["sikc", *["sick"] * 11, *["well"] * 12]
    paths = [f"{folder}/NORMAL/IM-{number:04}-0001.jpeg" for folder in ("one", "few") for number in range(12)]
    pd.DataFrame({"path": paths, "label": labels}).to_csv(tmp_path / "few.csv", index=False)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["--data", "missing"], 1, "missing"),
        (["--data", "empty"], 1, "paultimothymooney/chest-xray-pneumonia"),
        (["--data", "one"], 1, "class"),
        (["--data", "few"], 1, "PNEUMONIA"),
        (["--data", "one", "--epochs", "0"], 2, "--epochs must be at least 1. Received 0"),
        (["--data", "one", "--image-size", "8"], 2, "--image-size for shallow-cnn must lie between 16"),
        (["--data", "one", "--epochs", "many"], 2, "'many' is not a valid integer"),
        (["--data", "one", "--arch", "vgg"], 2, "is not one of"),
        (["--data", "one", "--name", "a/b"], 2, "--name must be a plain folder name"),
        (["--data", "few.csv", *_COLUMNS], 1, "to be sick (first: one/NORMAL/IM-0000-0001.jpeg), correct it or give"),
        (["--data", "one", "--mode", "scratch", "--weights", "hed"], 2, "--weights none only"),
        (["--resume", "nowhere"], 1, "There is no run at nowhere"),
        (["--resume", "nowhere", "--epochs", "3"], 2, "--resume takes no other option"),
        (["--config", "missing.toml"], 2, "missing.toml"),
        (["--data", "one", "--threshold-rule", "best"], 2, "youden"),
        (["--data", "one", "--cache-budget", "lots"], 2, "--cache-budget must be a size"),
    ],
)
def test_bad_training_input_is_one_clear_line(medxray, bad_data, monkeypatch, words, status, message):
    monkeypatch.chdir(bad_data)
    arch = [] if "--arch" in words or "--resume" in words or "--config" in words else ["--arch", "shallow-cnn"]
    found, out, err = medxray("train", *arch, *words)
    assert found == status and "Traceback" not in err and out == ""
    assert message in err.splitlines()[-1] and (status == 1 or one_line(err))
    states = [json.loads(record.read_text())["state"] for record in bad_data.glob("runs/*/run.json")]
    assert states == (["failed"] if status == 1 and "--resume" not in words else [])


def test_weights_of_another_architecture_fail_before_training(medxray, trained, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    words = ["--data", phantoms, "--image-size", 32, "--arch", "vgg19", "--weights", trained.path / "model.keras"]
    status, _, err = medxray("train", *words)
    assert status == 1 and "does not hold weights of vgg19" in err.splitlines()[-1]


def test_missing_or_foreign_run_says_what_to_do(medxray, tmp_path, monkeypatch, images):
    monkeypatch.chdir(tmp_path)
    for words in (["predict", images], ["gradcam", images], ["export", "runs/latest"], ["evaluate", "runs/latest"]):
        status, _, err = medxray(*words)
        assert status == 1 and one_line(err) and "There is no run at runs/latest" in err
    status, _, err = medxray("predict", images, "--model", images)
    assert status == 1 and one_line(err) and "is not a medxray run" in err


def test_strict_training_stops_at_an_unreadable_file(medxray, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(phantoms, "set")
    (tmp_path / "set" / "chest_xray" / "train" / "NORMAL" / "IM-9999-0001.jpeg").write_text("text")
    status, _, err = medxray("train", "--data", "set", "--arch", "shallow-cnn", "--image-size", 32, "--strict")
    assert status == 1 and "--strict: 1 of" in err.splitlines()[-1] and "IM-9999-0001.jpeg" in err.splitlines()[-1]


def test_nan_loss_is_a_clear_error_and_the_run_is_not_complete(medxray, phantoms, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    poisoned = build_classifier("shallow-cnn", image_size=32, channels=1, classes=2)
    huge = [np.full(64, value, np.float32) for value in (3e38, 3e38, 0, 1)]  # activations overflow, their mean is inf
    poisoned.get_layer("block3_norm").set_weights(huge)
    poisoned.save("poisoned.keras")
    words = ["train", "--data", phantoms, "--arch", "shallow-cnn", "--mode", "extract", "--image-size", 32]
    words += ["--weights", "poisoned.keras", "--no-export", "--name", "bad", "--head-units", 0]
    status, _, err = medxray(*words, "--views", 0)
    assert status == 1 and "The validation loss of the starting weights of stage main is nan" in err.splitlines()[-1]
    assert json.loads((tmp_path / "runs" / "bad" / "run.json").read_text())["state"] == "failed"
    status, _, err = medxray(*words)
    assert status == 1 and "not finite in float16" in err.splitlines()[-1]
    assert not (tmp_path / "runs" / "latest").exists()


@pytest.mark.slow
def test_cache_beyond_its_budget_means_training_on_line_with_a_message(
    medxray, phantoms, tmp_path, without_plots, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    words = ["train", "--data", phantoms, "--arch", "vgg16", "--weights", "none", "--image-size", 32, "--limit", 40]
    words += ["--epochs", 1, "--head-epochs", 1, "--head-units", 4, "--cache-dir", "cache", "--no-export"]
    status, _, err = medxray(*words, "--cache-budget", "0MB", "--name", "budget")
    assert (
        status == 0
        and "Not cached, beyond --cache-budget: pooled of" in err
        and "pooled of unchanged images" in err
        and "Cached: nothing." in err
    )
    status, _, err = medxray(*words, "--views", 0, "--name", "online")
    assert status == 0 and "Frozen layers" not in err and not list(tmp_path.glob("cache/*/rows.f16"))
    histories = [pd.read_csv(tmp_path / "runs" / name / "history.csv") for name in ("budget", "online")]
    assert all(list(history["view"].dropna()) == ["on-line"] * 2 for history in histories)
    files = [tmp_path / "runs" / name / "checkpoint" for name in ("budget", "online")]
    assert not any(file.exists() for file in files)


@pytest.mark.slow
def test_full_disk_while_training_is_one_line_and_no_complete_run(phantoms, tmp_path):
    """A limit on file sizes refuses writes as a full disk does."""
    code = (
        "import resource, signal, sys\nsignal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (30000, 30000))\n"
        "sys.argv[0] = 'medxray'\nfrom medxray.cli import main\nmain()"
    )
    words = ["train", "--data", str(phantoms), "--arch", "shallow-cnn", "--image-size", "32", "--epochs", "1"]
    answer = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, cwd=tmp_path)
    assert answer.returncode == 1, answer.stderr
    assert "Error: Could not write" in answer.stderr.splitlines()[-1] and "Traceback" not in answer.stderr
    (record,) = tmp_path.glob("runs/*/run.json")
    assert json.loads(record.read_text())["state"] == "failed"
    assert not list(tmp_path.rglob("*.keras")) and not list(tmp_path.rglob(".partial-*"))


def test_predictions_of_train_val_and_test_are_those_of_the_unchanged_images(trained):
    stored = pd.read_csv(trained.path / "predictions.csv")
    for split, part in stored.groupby("split"):
        found = trained.predict([f"{trained.record['data']['root']}/{path}" for path in part["path"]])
        # Activations are cached in float16; the features of random weights hardly vary, which enlarges the rounding.
        np.testing.assert_allclose(found["probability"], part["probability"], atol=5e-4, err_msg=split)


@pytest.mark.slow
def test_a_training_in_bfloat16_saves_a_float32_model_that_agrees_with_its_figures(phantoms, tmp_path, bare):
    from medxray import TrainConfig, train

    config = TrainConfig(
        arch="shallow-cnn",
        mode="extract",
        weights="none",
        data=phantoms,
        image_size=32,
        epochs=1,
        precision="bfloat16",
        runs_dir=tmp_path,
        export=False,
        limit=60,
    )
    run = train(config)
    assert run.model.get_layer("block1_conv").compute_dtype == "float32"
    stored = pd.read_csv(run.path / "predictions.csv").query("split == 'test'")
    found = run.predict([f"{run.record['data']['root']}/{path}" for path in stored["path"]])
    np.testing.assert_allclose(found["probability"], stored["probability"], atol=5e-4)


def test_hand_edited_run_files_are_errors_of_one_line(medxray, trained, images, tmp_path):
    empty = '{"kind": "medxray-run", "state": "completed", "config": {}}'
    for number, (name, text) in enumerate((("run.json", empty), ("model.keras", "PK"))):
        shutil.copytree(trained.path, tmp_path / str(number))
        (tmp_path / str(number) / name).write_text(text)
        status, _, err = medxray("predict", images, "--model", tmp_path / str(number))
        assert status == 1 and one_line(err) and name in err


def test_csv_beside_the_training_data_is_evaluated_as_given(medxray, trained, without_plots):
    root = trained.record["data"]["root"]
    test = pd.read_csv(trained.path / "split.csv", keep_default_na=False).query("split == 'test'").head(3)
    table = f"{root}/few.csv"
    test.to_csv(table, index=False)
    words = ("evaluate", trained.path, "--data", table, "--path-col", "path", "--label-col", "label", "--json")
    try:
        status, out, _ = medxray(*words)
    finally:
        os.unlink(table)
    assert status == 0 and json.loads(out)["n"] == 3


@pytest.mark.slow
def test_options_come_from_a_toml_file_and_the_command_line_wins(medxray, phantoms, tmp_path, bare, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.toml").write_text(
        f'data = "{phantoms}"\narch = "shallow-cnn"\nimage-size = 32\nepochs = 9\nname = "toml"\nexport = false\n'
    )
    status, out, _ = medxray("train", "--config", "a.toml", "--epochs", 1, "--limit", 40)
    assert status == 0 and "auroc" in out
    config = json.loads((tmp_path / "runs" / "toml" / "run.json").read_text())["config"]
    assert (config["epochs"], config["image_size"], config["limit"], config["mode"]) == (1, 32, 40, "scratch")
    status, _, err = medxray("train", "--config", "a.toml")
    assert status == 1 and "exists already" in err.splitlines()[-1]


@pytest.mark.slow
def test_debug_shows_the_traceback_and_the_exit_status_stays(tmp_path):
    answer = subprocess_medxray("--debug", "predict", "x.png", cwd=tmp_path, env={**os.environ})
    assert answer.returncode == 1 and "Traceback" in answer.stderr and "RunError" in answer.stderr


def test_evaluate_names_and_counts_the_files_that_other_data_lacks(medxray, trained, phantoms, tmp_path, without_plots):
    files = sorted(phantoms.rglob("*.jpeg"))
    rows = [f"{file},{file.parent.name}" for file in (files[0], files[-1])]
    rows += [f"gone{number}.png,NORMAL" for number in range(12)]
    table = tmp_path / "labels.csv"
    table.write_text("\n".join(["path,label", *rows]) + "\n")
    words = ["evaluate", trained.path, "--data", table, "--path-col", "path", "--label-col", "label"]
    _, _, err = medxray(*words)
    assert err.count("Left out: gone") == 10 and "Left out: 2 more." in err
    assert "12 of 14 files are left out." in err
    _, _, err = medxray(*words, "--ignore-unreadable")
    assert "Left out" not in err and "12 of 14 files are left out." in err


def test_predict_can_ignore_what_it_cannot_read(medxray, trained, phantoms, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    good = next(phantoms.rglob("*.jpeg"))
    status, _, err = medxray("predict", good, tmp_path / "broken.png", "--model", trained.path)
    assert status == 1 and "Error: " in err
    status, out, err = medxray("predict", good, tmp_path, "--model", trained.path, "--ignore-unreadable")
    assert status == 0 and "Error: " not in err and "1 files cannot be read" in err and good.name in out
