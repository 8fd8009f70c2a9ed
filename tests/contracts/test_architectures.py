"""What holds for every row of the table of architectures."""

import configparser
import functools
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from medxray.errors import ConfigError
from medxray.models.classifier import build_classifier, embedder, freeze_before, prefix, suffix
from medxray.models.preprocessing import PREPROCESSINGS
from medxray.models.registry import ARCHITECTURES, architecture
from tests.contracts.dummy_architecture import ROW as DUMMY
from tests.fixtures.architectures import architectures

ROOT = Path(__file__).resolve().parents[2]
ROWS = [*ARCHITECTURES.values(), DUMMY]
SOURCES = [
    pytest.param(row, source, id=f"{row.name}-{source.name}")
    for row in ARCHITECTURES.values()
    for source in row.pretrained
]
_COMMANDS = """
import json, sys
sys.path.append(sys.argv[2])
from dummy_architecture import ROW
from medxray.models.registry import ARCHITECTURES
ARCHITECTURES[ROW.name] = ROW
from medxray.cli import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["medxray", *words]
    try:
        main()
    except SystemExit as ended:
        if ended.code:
            raise
"""


@pytest.fixture(scope="module", params=architectures(ROWS))
def row(request):
    """Every row; the models of one are gone before the next."""
    return request.param


@pytest.fixture(scope="module")
def build(row):
    """Function (size, channels) -> the row's classifier of three classes, built once."""

    @functools.cache
    def building(size, channels):
        with pytest.MonkeyPatch.context() as patch:
            patch.setitem(ARCHITECTURES, row.name, row)
            return build_classifier(row.name, image_size=size, channels=channels, classes=3, units=8)

    return building


@pytest.fixture(scope="module")
def small(row, build):
    """The row's grey classifier at the smallest size."""
    return build(row.minimum_size, 1)


def images(row, channels=1):
    return np.random.default_rng(0).uniform(0, 255, (2, row.minimum_size, row.minimum_size, channels)).astype("float32")


def position(model, layer):
    return [each.name for each in model.layers].index(layer)


def test_table_is_read_without_tensorflow():
    code = (
        "import sys, medxray.models.registry\n"
        "print(sorted({'tensorflow', 'keras', 'numpy', 'h5py', 'cv2', 'pandas'} & set(sys.modules)))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert answer.stdout.strip() == "[]"


def test_rows_are_found_by_their_own_names():
    assert [row.name for row in ARCHITECTURES.values()] == list(ARCHITECTURES)
    with pytest.raises(ConfigError, match="--arch must be one of vgg16, .*Received 'dummy'"):
        architecture("dummy")


def test_row_is_complete(row):
    assert re.fullmatch(r"[a-z0-9]+([-.][a-z0-9]+)*", row.name) and row.paper
    assert row.preprocessing in PREPROCESSINGS and row.planes in (3, None)
    assert len(row.stages) == len(set(row.stages)) >= 2
    assert 1 <= row.minimum_size <= row.default_size
    assert row.default_mode == ("finetune" if row.pretrained else "scratch")


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_model_of_the_smallest_size_is_one_flat_graph_of_built_in_layers(build, row, channels):
    model = build(row.minimum_size, channels)
    assert model.input_shape == (None, row.minimum_size, row.minimum_size, channels)
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.Model)]
    assert {layer.__module__.split(".")[0] for layer in model.layers} == {"keras"}
    probabilities = model(images(row, channels)).numpy()
    assert probabilities.shape == (2, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_model_of_the_default_size_has_the_same_weights_and_spatial_stages(build, row, channels):
    model, small = build(row.default_size, channels), build(row.minimum_size, channels)
    assert [weight.shape for weight in model.weights] == [weight.shape for weight in small.weights]
    sizes = [model.get_layer(stage).output.shape[1] for stage in row.stages]
    assert sizes == sorted(sizes, reverse=True) and sizes[-1] >= 2
    assert len(model.get_layer(row.heat_layer).output.shape) == 4


def test_stages_and_heat_layer_stand_in_the_order_of_the_graph(small, row):
    model = small
    places = [position(model, layer) for layer in (*row.stages, "pooled")]
    assert places == sorted(set(places)) and places[0] > position(model, "preprocess")
    assert places[-3] < position(model, row.heat_layer) < places[-1]


def test_prefix_and_suffix_together_are_the_model_at_every_stage(small, row):
    model = small
    expected = model(images(row)).numpy()
    for cut in (*row.stages, "pooled"):
        logits = suffix(model, cut)(prefix(model, [cut])(images(row))).numpy()
        np.testing.assert_allclose(keras.ops.softmax(logits).numpy(), expected, atol=1e-5)


def test_all_layers_have_the_same_names_in_a_second_model(build, row):
    """Cached activations and weights are found by them."""
    first, second = ([layer.name for layer in build(size, 1).layers] for size in (row.minimum_size, row.default_size))
    assert first == second and {*row.stages, row.heat_layer} < set(first)


def test_every_weight_learns_when_all_layers_are_trained(small, row):
    freeze_before(small, None, train_normalization=True)
    with tf.GradientTape() as tape:
        loss = -tf.math.log(small(images(row), training=True)[:, 0])
    gradients = tape.gradient(loss, small.trainable_variables)
    assert all(gradient is not None and np.isfinite(gradient).all() for gradient in gradients)
    assert {layer.name for layer in small.layers if layer.weights} == {
        variable.path.split("/")[0] for variable in small.trainable_variables
    }


def test_each_cut_further_down_frees_more_layers(small, row):
    free = []
    for cut in ("pooled", *reversed(row.stages), None):
        freeze_before(small, cut, train_normalization=False)
        free.append(sum(bool(layer.trainable_variables) for layer in small.layers))
    assert free == sorted(free) and free[1] == free[0]  # the last stage ends the backbone
    assert len(set(free)) > len(row.stages)


def test_multiply_accumulates_are_counted_in_every_layer_with_a_kernel(small):
    counted = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D, keras.layers.Dense)
    others = [layer for layer in small.layers if layer.weights and not isinstance(layer, counted)]
    assert {type(layer) for layer in others} == {keras.layers.BatchNormalization}


def test_saved_model_loads_in_safe_mode_and_answers_the_same(small, row, tmp_path):
    model = small
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(again(images(row)), model(images(row)), rtol=1e-5)


def test_names_of_pretrained_weights_are_unique_in_each_row_and_are_no_other_choice():
    for row in ARCHITECTURES.values():
        names = [source.name for source in row.pretrained]
        assert len(names) == len(set(names)) and not {"auto", "none"} & set(names)


@pytest.mark.parametrize(("row", "source"), SOURCES)
def test_pretrained_weights_say_where_they_are_and_what_they_must_be(row, source):
    assert bool(source.url) != bool(source.package)
    assert source.digest is None or re.fullmatch(r"sha256:[0-9a-f]{64}|md5:[0-9a-f]{32}", source.digest)
    assert source.file.endswith((".h5", ".keras", ".pth", ".safetensors"))
    assert list(inspect.signature(source.read).parameters) == ["backbone", "path"]
    if source.url:
        assert re.fullmatch(r"https://[^?#]*[^/]", source.url) and not re.search(r"[*?\[/\\]", source.file)
        return
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    assert source.package in setup["options.extras_require"][source.extra]


@pytest.mark.slow
def test_row_is_trained_used_and_explained(row, monkeypatch, phantoms, tmp_path, without_plots):
    from medxray import TrainConfig, train

    monkeypatch.setitem(ARCHITECTURES, row.name, row)
    places = {"data": str(phantoms), "runs_dir": str(tmp_path / "runs"), "cache_dir": str(tmp_path / "cache")}
    form = {"image_size": row.minimum_size, "epochs": 1, "head_epochs": 1, "views": 1, "head_units": 4}
    form |= {"weights": "none", "precision": "float32", "export": False}
    config = TrainConfig(arch=row.name, mode="finetune", **form, **places)
    run = train(config)
    file = next(phantoms.rglob("*.jpeg"))
    assert run.predict([file])["probability"].between(0, 1).all()
    (heatmap,), failures = run.gradcam([file])
    assert heatmap.layer == row.heat_layer and not failures


@pytest.mark.slow
def test_dummy_architecture_is_trained_used_and_explained_by_the_commands(phantoms, tmp_path):
    words = ["--arch", "dummy", "--image-size", "32", "--epochs", "1", "--no-export", "--name", "tiny"]
    file, run = str(next(phantoms.rglob("*.jpeg"))), str(tmp_path / "runs" / "tiny")
    commands = [
        ["train", *words, "--mode", "scratch", "--data", str(phantoms), "--runs-dir", str(tmp_path / "runs")],
        ["predict", file, "--model", run, "--csv", str(tmp_path / "predictions.csv")],
        ["gradcam", file, "--model", run, "--out", str(tmp_path / "heat")],
    ]
    words = [json.dumps(commands), str(Path(__file__).parent)]
    done = subprocess.run([sys.executable, "-c", _COMMANDS, *words], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    record = json.loads((tmp_path / "runs" / "tiny" / "run.json").read_text())
    assert (record["state"], record["config"]["arch"], record["config"]["mode"]) == ("completed", "dummy", "scratch")
    table = pd.read_csv(tmp_path / "predictions.csv")
    assert len(table) == 1 and table["probability"].between(0, 1).all()
    assert len(list((tmp_path / "heat").rglob("*.png"))) == 1


@pytest.mark.slow
def test_dummy_architecture_is_finetuned_with_cached_activations(monkeypatch, phantoms, tmp_path, bare):
    from medxray import TrainConfig, train

    monkeypatch.setitem(ARCHITECTURES, "dummy", DUMMY)
    places = {"runs_dir": str(tmp_path / "runs"), "cache_dir": str(tmp_path / "cache"), "export": False}
    small = {"image_size": 32, "epochs": 1, "head_epochs": 1, "head_units": 4}
    run = train(TrainConfig(arch="dummy", mode="finetune", data=str(phantoms), **small, **places))
    assert run.architecture.heat_layer == "second_conv" and embedder(run.model).output_shape == (None, 16)
    assert list((tmp_path / "cache").iterdir())
    assert run.predict([next(phantoms.rglob("*.jpeg"))])["probability"].between(0, 1).all()
