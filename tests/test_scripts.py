"""Parts of the scripts that decide something; what they measure is not measured here."""

import configparser
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from medxray.system import storage
from tests.fixtures.stored_runs import write_stored_run

FOLDER = Path(__file__).resolve().parent.parent / "scripts"


@pytest.fixture
def script(monkeypatch):
    """Function (name) -> the script as a module."""
    monkeypatch.syspath_prepend(FOLDER)

    def load(name):
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load


@pytest.fixture
def folder(tmp_path):
    """Two images, the second in a folder with a dot in its name, and a text."""
    (tmp_path / "v1.5").mkdir()
    for name in ("a.png", "v1.5/b.png"):
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8), np.uint8))
    (tmp_path / "about.txt").write_text("text")
    return tmp_path


def test_further_images_of_the_gate_check_are_images_alone_and_each_once(script, folder):
    check = script("check_gate")
    found = check.once(check.further([str(folder), f"{folder}/v1.5/../v1.5"], "X-rays in {}"))
    assert found == [(f"X-rays in {folder.name}", folder / name) for name in ("a.png", "v1.5/b.png")]


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere", "There is no folder"), ("empty", "holds no image"), ("*.bmp", "matches no file")],
)
def test_a_folder_that_gives_the_gate_check_nothing_ends_it_before_anything_is_made(
    script, folder, monkeypatch, name, message
):
    (folder / "empty").mkdir()
    check = script("check_gate")
    words = ["check_gate.py", "runs/any", "--also", str(folder), "--photographs", str(folder / name)]
    monkeypatch.setattr("sys.argv", words)
    monkeypatch.setattr(check, "gather", None)
    with pytest.raises(SystemExit, match=message) as ended:
        check.main()
    assert len(ended.value.code.splitlines()) == 1


def test_the_autoencoder_chosen_is_the_smallest_of_those_that_are_close_to_the_best_in_both_numbers(script):
    rebuilt = {
        "mix/64/96": (0.90, 0.95),
        "mix/256/64": (0.90, 0.94),
        "mix/64/64": (0.89, 0.935),
        "ssim/64/64": (0.89, 0.94),
        "mix/16/64": (0.90, 0.92),
        "mse/16/64": (0.87, 0.95),
    }
    variant, why = script("choose_autoencoder").choice(rebuilt)
    assert variant == "ssim/64/64"
    assert why == "the smallest of 4 within 0.02 of the best in both numbers"


def test_the_autoencoder_chosen_has_the_largest_sum_where_none_is_close_in_both_numbers(script):
    rebuilt = {"ssim/16/64": (0.90, 0.70), "mix/256/96": (0.87, 0.90), "mse/64/64": (0.80, 0.95)}
    variant, why = script("choose_autoencoder").choice(rebuilt)
    assert variant == "mix/256/96"
    assert why == "the largest sum of both numbers, since none is within 0.02 of the best in both"


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("import fcntl", "fcntl"),
        ("def f():\n    import resource, csv", "resource"),
        ("from os import fork", "os.fork"),
        ("import os\nos.open('.', os.O_RDONLY)", "os.open"),
        ("import os, signal\nos.kill(1, signal.SIGKILL)", "signal.SIGKILL"),
    ],
)
def test_lint_finds_what_is_not_on_every_system_outside_of_its_room(script, tmp_path, code, named):
    for name in ("system/a.py", "data/a.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(code)
    line = len(code.splitlines())
    (problem,) = script("own_rules").broken_rules(tmp_path)
    assert problem.startswith(f"{tmp_path.name}/data/a.py:{line}: {named} is not on every system")


def test_lint_finds_imports_by_name_elsewhere_than_in_two_modules(script, tmp_path):
    code = "import importlib\nimportlib.import_module('a')\n"
    for name in ("moved.py", "__init__.py", "other.py", "data/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(code)
    (tmp_path / "short.py").write_text("from importlib import import_module as load\n__import__('a')")
    found = script("own_rules").broken_rules(tmp_path)
    places = ("data/__init__.py:2", "other.py:2", "short.py:1", "short.py:2")
    assert [problem.partition(": ")[0] for problem in found] == [f"{tmp_path.name}/{place}" for place in places]


def test_lint_lets_pass_what_every_system_has(script, tmp_path):
    (tmp_path / "a.py").write_text(
        "import os, signal\nos.replace('a', 'b')\nopen('a')\nsignal.SIGINT\nposition = os.path"
    )
    assert script("own_rules").broken_rules(tmp_path) == []


@pytest.mark.parametrize(
    ("module", "line", "contract"),
    [
        ("data/splits.py", "from medxray.runs import directory", "Rooms import downwards"),
        ("data/manifest.py", "from medxray.data.layouts import sources", "No room and no module goes in a circle"),
        ("metrics/curves.py", "def draw():\n    import matplotlib", "metrics computes figures from arrays"),
        ("training/config.py", "from medxray import anomaly", "training gets the kind of a run as an argument"),
        ("export/placement.py", "from medxray import run_kinds", "export knows no kind of run"),
        ("api.py", "from medxray.cli import main", "Only __main__ imports the command line"),
        ("data/manifest.py", "import tensorflow", "Files, tables and records are read without TensorFlow"),
    ],
)
def test_an_import_against_the_order_of_the_rooms_breaks_a_contract(tmp_path, module, line, contract):
    package = tmp_path / "medxray"
    shutil.copytree(FOLDER.parent / "medxray", package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(FOLDER.parent / "setup.cfg", tmp_path)
    with open(package / module, "a", encoding="utf-8") as file:
        file.write(f"\n{line}\n")
    code = "from importlinter.cli import lint_imports_command as main; main()"
    words = [sys.executable, "-c", code, "--no-cache"]
    answer = subprocess.run(words, cwd=tmp_path, env={**os.environ, "PYTHONPATH": "."}, capture_output=True, text=True)
    assert answer.returncode == 1, answer.stderr
    assert re.search(rf"^{contract}[^\n]*( BROKEN|\n[^\n]+ BROKEN)\b", answer.stdout, re.MULTILINE), answer.stdout
    importer = f"medxray.{module.removesuffix('.py').replace('/', '.')}"
    assert f"{importer} ->" in answer.stdout or ".manifest -> .layouts" in answer.stdout


def test_programs_of_an_environment_are_where_the_system_has_them(script, monkeypatch):
    install, folder = script("install"), Path("a")
    found = {}
    for name in ("posix", "nt"):
        with monkeypatch.context() as system:
            system.setattr(install.os, "name", name)
            found[name] = install.program("python", folder)
    assert found == {
        "posix": os.path.join("a", "bin", "python"),
        "nt": os.path.join("a", "Scripts", "python.exe"),
    }


def requirements(section):
    """The requirements of a text of setup.cfg as {name in lower case: lower bound}."""
    lines = [line for line in section.split() if not line.startswith("medxray[")]
    return {re.split(r"[\[>=]", line)[0].lower(): re.search(r">=([\d.]+)", line).group(1) for line in lines}


def test_the_versions_of_lowest_are_the_lower_bounds_of_setup_cfg():
    config = configparser.ConfigParser(interpolation=None)
    config.read(FOLDER.parent / "setup.cfg", encoding="utf-8")
    extra = config["options.extras_require"]
    wanted = requirements(config["options"]["install_requires"]) | requirements(
        "".join(extra[name] for name in ("test", "tune", "video", "notebook", "tensorboard"))
    )
    lines = (FOLDER / "lowest.txt").read_text(encoding="utf-8").splitlines()
    lowest = dict(line.lower().split("==") for line in lines if line and not line.startswith("#"))
    assert lowest.keys() == wanted.keys()
    assert {name: re.sub(r"(\.0)+$", "", version) for name, version in lowest.items()} == {
        name: re.sub(r"(\.0)+$", "", version) for name, version in wanted.items()
    }


def test_balanced_accuracy_of_shifted_views_is_the_mean_of_the_recalls_in_each_resample(script):
    right = np.array([[1, 0, 1, 1], [1, 1, 0, 1]], bool)  # two views of four images
    weights = np.array([[1.0, 1, 1, 1], [2.0, 0, 1, 1]])
    found = script("compare_shifts").balanced_accuracies(right, np.array([0, 0, 1, 1]), weights)
    np.testing.assert_allclose(found, [(0.75 + 0.75) / 2, (1.0 + 0.75) / 2])


def test_border_heat_is_asked_of_a_sample_of_the_test_images(script, binary_run):
    shares, patients = script("border_heat").shares_of(binary_run.path, 3)
    assert len(shares) == len(patients) == 3 and ((shares >= 0) & (shares <= 1)).all()


def test_patients_drawn_for_a_simulated_adaptation_are_judged_nowhere_else(script, simulate):
    part = simulate(200)
    mask = script("simulate_adapt").draw_patients(part.patient_ids, part.y_true, 10, np.random.default_rng(0))
    assert not set(part.patient_ids[mask]) & set(part.patient_ids[~mask])
    for label in (0, 1):
        assert len(set(part.patient_ids[mask & (part.y_true == label)])) == 10
    with pytest.raises(SystemExit, match="more than 500 patients of each class"):
        script("simulate_adapt").draw_patients(part.patient_ids, part.y_true, 500, np.random.default_rng(0))


def test_a_simulated_adaptation_mends_a_place_that_is_shifted(script, make_predictions, capsys):
    from medxray.metrics.adaptation import Place
    from medxray.metrics.calibration import Calibration
    from medxray.metrics.decision import Decision
    from medxray.metrics.thresholds import OperatingPoint

    rng = np.random.default_rng(0)
    y_true = np.repeat([0, 1], 300)
    score = 2 * rng.normal(2.0 * y_true - 1) + 3
    part = make_predictions(y_true, np.stack([0 * score, score], axis=1))
    stored = Decision(OperatingPoint(0.5, "youden", "val"), Calibration(1.0, (0.0, 1e-9)))
    simulation = script("simulate_adapt")
    found, kept = simulation.simulate(part, Place(stored, (0.5, 0.5), (0.5, 0.5)), draws=5, patients=25, seed=0)
    assert all(kept) and len(found["after"]) == 5
    gain = simulation.column(found, "after", "specificity") - simulation.column(found, "before", "specificity")
    assert gain.min() > 0.2
    simulation.print_tables({"moved": (found, kept)})
    out = capsys.readouterr().out
    assert "| moved | 100 % |" in out and "Youden's rule on the drawn patients" in out


def test_the_table_of_results_has_what_runs_have_stored(script, tmp_path, capsys, monkeypatch):
    table = script("results_table")
    run = write_stored_run(tmp_path / "mine", n=40, images=False)
    metrics = storage.read_json(run.metrics_file)
    report = metrics["splits"]["test"]
    found = {"value": 0.8125, "ci95": [0.75, 0.875]}
    other = {"balanced_accuracy": {"value": 0.75, "ci95": None}, "decided_on": "clean"}
    families = {"crop": {"1": {}, "2": {}}, "gamma": {"1": {}}}
    report["shifts"] = {"mean_auroc": found, "balanced_accuracy": found, "mean_ece": 0.125, "n": 40}
    report["shifts"] |= {"families": families, "other_decision": other}
    storage.write_json(run.metrics_file, metrics)
    monkeypatch.setattr("sys.argv", ["results_table.py", str(run.path)])
    table.main()
    header, _, row = ([cell.strip() for cell in line.split("|")[1:-1]] for line in capsys.readouterr().out.splitlines())
    cells = dict(zip(header, row, strict=True))
    auroc = report["auroc"]
    assert cells["run"] == run.name and cells["AUROC"].startswith(f"{auroc['value']:.3f}".removeprefix("0"))
    assert cells["balanced accuracy, shifted"] == ".812 [.750, .875]" and cells["ECE, shifted"] == ".125"
    assert cells["balanced accuracy, shifted, by the other decision"] == ".750 (clean)"
    assert cells["images, views"] == "40, 3"


@pytest.mark.slow
def test_explanations_are_timed_beside_the_prediction_and_beside_tf_keras_vis(script, capsys):
    from argparse import Namespace

    from medxray.explain.methods import method_named

    bench = script("bench_explain")
    args = Namespace(size=32, batch=2, turns=1, reference_images=1)
    methods = [method_named(name) for name in ("gradcam", "scorecam", "occlusion")]
    cells = list(bench.rows(args, "shallow-cnn", methods))
    assert [row[1] for row in cells] == ["prediction", "gradcam", "scorecam", "occlusion"]
    assert cells[0][3] == "1.00" and all(float(row[2]) > 0 for row in cells)
    assert [row[4] == "-" for row in cells] == [True, False, False, True]
    assert capsys.readouterr().out == ""


@pytest.mark.slow
def test_tf_keras_vis_explains_the_same_model_for_the_same_score(script):
    """Its Grad-CAM, enlarged by another rule, is that of the project up to the enlargement."""
    from argparse import Namespace

    from medxray.explain.maps import fixed_target
    from medxray.explain.methods import method_named

    bench = script("bench_explain")
    model, layer, images = bench.prepared(Namespace(size=32, batch=2), "shallow-cnn")
    theirs = np.asarray(bench.reference_functions(model, layer)["gradcam"](images))
    ours = method_named("gradcam").build(model, layer)(images, fixed_target(1)).maps.numpy()
    shrunk = theirs.reshape(2, ours.shape[1], 32 // ours.shape[1], ours.shape[2], 32 // ours.shape[2]).mean(axis=(2, 4))
    assert ours.max() > 0.9 and np.corrcoef(shrunk.ravel(), ours.ravel())[0, 1] > 0.9
