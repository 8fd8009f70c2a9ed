import re

import cv2
import numpy as np
import pytest
from click.testing import CliRunner

from medxray.cli.explain import explain, occlusion
from medxray.errors import ConfigError
from medxray.explain.explainer import ExplainRequest
from medxray.explain.methods import METHODS
from medxray.explain.several import answerable, requests_for, requests_of
from medxray.models.classifier import build_classifier
from tests.contracts.test_explainers import SMALL

SHORT = [word for options in SMALL.values() for name, value in options.items() for word in ("--set", f"{name}={value}")]


def call(command, run, *words):
    words = [*(["maps"] if command is explain else []), "--model", str(run.path), *map(str, words)]
    return CliRunner().invoke(command, words)


def test_names_are_separated_by_commas_and_options_go_to_the_methods_that_have_them():
    options = (("seed", "3"), ("masks", "9"))
    found = requests_for("rise, smoothgrad,gradcam,rise", layer="conv", target="A", options=options)
    assert found == (
        ExplainRequest("rise", None, "A", options=options),
        ExplainRequest("smoothgrad", None, "A", options=options[:1]),
        ExplainRequest("gradcam", "conv", "A"),
    )
    assert [request.method for request in requests_for("all")] == list(METHODS)


@pytest.mark.parametrize(
    ("methods", "wanted", "message"),
    [
        ("gradcam,guess", {}, "--method must be one of gradcam, .* Received 'guess'"),
        ("gradcam,rise", {"options": (("patch", "3"),)}, "None of gradcam, rise has the option 'patch'"),
        (
            "saliency,rise",
            {"layer": "conv"},
            "--layer is for methods that look at a layer. None of saliency, rise does",
        ),
    ],
)
def test_what_is_for_none_of_several_methods_is_refused(methods, wanted, message):
    with pytest.raises(ConfigError, match=message):
        requests_for(methods, **wanted)


@pytest.fixture
def hidden_run(binary_run, monkeypatch):
    """`binary_run` with a hidden layer in its head."""
    model = build_classifier("shallow-cnn", image_size=64, channels=1, classes=2, units=4)
    monkeypatch.setattr(binary_run, "model", model, raising=False)
    monkeypatch.setattr(binary_run, "_explainers", {})
    return binary_run


def test_a_method_that_the_model_cannot_answer_is_told_from_a_wrong_request(hidden_run):
    found, refused = answerable(hidden_run, requests_for("gradcam,cam,saliency"))
    assert [request.method for request in found] == ["gradcam", "saliency"]
    assert list(refused) == ["cam"] and "Train with --head-units 0" in refused["cam"]
    with pytest.raises(ConfigError, match="--class must be one of"):
        answerable(hidden_run, requests_for("gradcam,cam", target="nothing"))


@pytest.mark.slow
def test_of_all_methods_the_command_names_and_leaves_out_what_the_model_cannot_answer(
    hidden_run, image_files, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr("medxray.api.load_run", lambda path: hidden_run)
    file = image_files(hidden_run)[0]
    answer = call(explain, hidden_run, file, "--method", "all", "--raw", "--out", tmp_path, *SHORT)
    assert answer.exit_code == 0, answer.output
    told = [record for record in caplog.records if "left out" in record.getMessage()]
    assert [record.levelname for record in told] == ["WARNING"]
    assert told[0].getMessage().startswith("cam is left out. cam needs a head of")
    written = [line.rpartition("/")[2] for line in answer.stdout.splitlines()]
    names = [f"{file.stem}-PNEUMONIA-{name}" for name in METHODS if name != "cam"]
    assert written == [f"{name}.{kind}" for name in names for kind in ("png", "npz")]
    alone = call(explain, hidden_run, file, "--method", "cam,saliency", "--out", tmp_path)
    assert isinstance(alone.exception, ConfigError)


def test_a_grid_is_one_picture_for_each_image(binary_run, image_files, tmp_path):
    files = image_files(binary_run)[:2]
    answer = call(explain, binary_run, *files, "--method", "gradcam,cam", "--grid", "--raw", "--out", tmp_path)
    assert answer.exit_code == 0, answer.output
    written = [line.rpartition("/")[2] for line in answer.stdout.splitlines()]
    assert [re.sub(r"^[^-]+", "", name) for name in written] == ["-grid.png", *_RAW] * 2
    with np.load(tmp_path / f"{files[0].stem}-PNEUMONIA-cam.npz", allow_pickle=False) as stored:
        assert str(stored["method"]) == "cam" and stored["heatmap"].shape == (64, 64)
    assert cv2.imread(str(tmp_path / f"{files[0].stem}-grid.png")).std() > 0


_FINER = ["--set", "patch=24", "--set", "stride=12", "--set", "coarse=1"]
_RAW = ["-PNEUMONIA-gradcam.npz", "-PNEUMONIA-cam.npz"]


def test_occlusion_is_a_command_of_its_own(binary_run, image_files, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = image_files(binary_run)[0]
    answer = call(occlusion, binary_run, file, "--raw", *_FINER)
    assert answer.exit_code == 0, answer.output
    stem = f"occlusion/{file.stem}-PNEUMONIA"
    assert answer.stdout.splitlines() == [f"{stem}.png", f"{stem}.npz"]
    (expected,), _ = binary_run.explain(
        [file], method="occlusion", options=(("patch", 24), ("stride", 12), ("coarse", 1))
    )
    with np.load(f"{stem}.npz", allow_pickle=False) as stored:
        assert str(stored["method"]) == "occlusion" and str(stored["layer"]) == ""
        np.testing.assert_allclose(stored["heatmap"], expected.heatmap, atol=1e-4)


@pytest.mark.parametrize(
    ("method", "setting", "message"),
    [
        ("occlusion", "fill=red", "fill of occlusion must be one of mean, zero, blur. Received 'red'"),
        ("occlusion", "stride=0", "stride of occlusion must be 1 or more. Received '0'"),
        ("occlusion", "patch=65", "patch of occlusion must be at most 64 for shallow-cnn. Received 65"),
        ("rise", "keep=1", "keep of rise must be from 0.01 to 0.99. Received '1'"),
        ("smoothgrad", "noise=nan", "noise of smoothgrad must be from 0 to 1. Received 'nan'"),
    ],
)
def test_values_of_options_out_of_their_range_are_refused(binary_run, method, setting, message):
    answer = call(explain, binary_run, "missing.png", "--method", method, "--set", setting)
    assert isinstance(answer.exception, ConfigError) and message in str(answer.exception)


def test_among_names_what_all_stands_for(hidden_run, caplog):
    found = requests_of(hidden_run, "all", among=("cam", "saliency", "gradcam"))
    assert [request.method for request in found] == ["saliency", "gradcam"]
    assert "cam is left out. cam needs a head of" in caplog.text
