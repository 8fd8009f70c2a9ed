"""What all tests share: quiet TensorFlow, a small phantom set, the real data where it lies beside the project."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # tests compare numbers, which differ between devices
if "PYTEST_XDIST_WORKER" in os.environ:  # the processes share the cores already
    for _threads in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(_threads, "1")
pytest_plugins = [
    f"tests.fixtures.{name}" for name in ("bare_runs", "figures", "image_files", "medmnist", "simulated", "small_runs")
]
_PROCESS = """
import json, signal, sys
from medxray.cli import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell in the background hands it down as ignored
sys.argv = ["medxray", *json.loads(sys.argv[1])]
main()
"""
TOGETHER = {  # what shares runs that take long; a file that is missing here has to make them again
    "anomaly": ("tests/anomaly/",),
    "trained": (
        "tests/cli/test_commands.py",
        "tests/embeddings/test_extract.py",
        "tests/embeddings/test_similar.py",
        "tests/evaluation/",
        "tests/export/",
        "tests/film/test_film.py",
        "tests/gate/test_run_gate.py",
        "tests/predict/test_failures.py",
        "tests/report/test_trained_run.py",
        "tests/runs/",
        "tests/test_api.py",
    ),
}
SHARED = Path(__file__).resolve().parent.parent.parent / "shared"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """As --dist loadfile does, but the files of each group of TOGETHER go to one process."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            file = super()._split_scope(nodeid)
            return next((name for name, places in TOGETHER.items() if file.startswith(places)), file)

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """Keep the user's cache of activations out of the tests."""
    monkeypatch.setenv("MEDXRAY_CACHE_DIR", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def _log_records_reach_pytest(monkeypatch):
    """A command that an earlier test called in this process may have kept them for its own handler."""
    monkeypatch.setattr(logging.getLogger("medxray"), "propagate", True)


@pytest.fixture(scope="session")
def shared_data():
    """Folder of real chest X-rays."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip("the real images are not beside the project (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def shared_weights():
    """File of pretrained VGG16 weights."""
    file = SHARED / "weights" / "vgg16_hed_notop.weights.h5"
    if not file.is_file():
        pytest.skip("the pretrained weights are not beside the project (../shared/weights)")
    return file


@pytest.fixture(scope="session")
def phantoms(tmp_path_factory):
    """A folder with phantoms of 30 patients, 64 pixels wide."""
    from medxray.data.phantom.draw import generate_phantoms

    folder = tmp_path_factory.mktemp("phantoms") / "set"
    generate_phantoms(folder, patients=30, size=64, seed=3)
    return folder


@pytest.fixture(scope="session")
def trained(phantoms, tmp_path_factory):
    """A complete small run on phantoms: fine-tuned VGG16 at 32 pixels with random weights, exported.

    Of its plots, only those of the test split are drawn.
    """
    from medxray import TrainConfig, train
    from tests.fixtures.bare_runs import draw_test_split_alone

    folder = tmp_path_factory.mktemp("trained")
    config = TrainConfig(
        arch="vgg16",
        mode="finetune",
        weights="none",
        data=str(phantoms),
        image_size=32,
        epochs=2,
        head_epochs=2,
        batch_size=8,
        head_units=8,
        runs_dir=str(folder / "runs"),
        saved_models_dir=str(folder / "saved_models"),
        cache_dir=str(folder / "cache"),
        name="small",
    )
    with pytest.MonkeyPatch.context() as patch:
        draw_test_split_alone(patch)
        return train(config)


@pytest.fixture
def medxray(monkeypatch, capsys):
    """Run a command in this process; returns (exit status, stdout, stderr)."""
    from medxray.cli import main, terminal

    monkeypatch.setattr(terminal, "prepare", lambda: None)

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["medxray", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        terminal.begin()  # neither quiet nor verbose any more
        out, err = capsys.readouterr()
        return ended.value.code, out, err

    return run


@pytest.fixture(scope="session")
def start():
    """Function (words) -> the command begun as a process of its own, which a test may kill; stderr is a pipe."""

    def started(words):
        return subprocess.Popen([sys.executable, "-c", _PROCESS, json.dumps(words)], stderr=subprocess.PIPE, text=True)

    return started


@pytest.fixture(scope="session")
def finish(start):
    """Function (words): the command run to its end as a process of its own, which must succeed."""

    def finished(words):
        process = start(words)
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors

    return finished


@pytest.fixture(scope="session")
def detected():
    """Function (scores, truth, subtypes=None) -> Predictions of a detector with these logits of the abnormal class."""
    from medxray.metrics.predictions import Predictions

    def made(scores, truth, subtypes=None):
        count = len(scores)
        return Predictions(
            paths=tuple(f"{number}.png" for number in range(count)),
            patient_ids=np.arange(count).astype(str),
            y_true=np.array(truth),
            logits=np.stack([np.zeros(count), scores], axis=1),
            classes=("NORMAL", "ILL"),
            positive="ILL",
            split="test",
            subtypes=subtypes,
        )

    return made
