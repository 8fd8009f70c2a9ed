"""The configuration of an anomaly run: defaults, what is refused, and what a backbone run brings."""

import json

import pytest

from medxray import AnomalyConfig
from medxray.anomaly.methods import METHODS
from medxray.errors import ConfigError, RunError
from medxray.training.config import config_from_dict, read_config_file
from medxray.training.options import help_text, options_of


def test_each_method_has_its_own_defaults_and_nothing_of_the_others():
    autoencoder = AnomalyConfig().resolved()
    assert autoencoder.method == "autoencoder"
    assert (autoencoder.image_size, autoencoder.weights, autoencoder.arch) == (64, "none", None)
    assert autoencoder.epochs >= 1 and autoencoder.bottleneck >= 1 and autoencoder.dimensions is None
    padim, patchcore = (AnomalyConfig(method=name).resolved() for name in ("padim", "patchcore"))
    assert (padim.arch, padim.image_size, padim.dimensions, padim.coreset) == ("vgg16", 224, 100, None)
    assert (patchcore.method, patchcore.coreset) == ("patchcore", 0.01)
    assert (padim.image_score, padim.patch_scale) == ("mean", "none")
    assert (patchcore.image_score, patchcore.patch_scale) == ("max", "none")
    assert patchcore.epochs is None and patchcore.batch_size is None
    assert {(config.channels, config.resize) for config in (autoencoder, padim, patchcore)} == {(1, "letterbox")}


@pytest.mark.parametrize("method", METHODS)
def test_every_default_that_a_method_fills_in_stands_in_the_help(method):
    from medxray.cli.anomaly import train

    helps = {option.name: option.help for option in train.params}
    for name, value in AnomalyConfig.variants()[method].items():
        assert getattr(AnomalyConfig(method=method).filled(method), name) == value
        words = "yes" if value is True else f"{value:g}" if isinstance(value, float) else str(value)
        assert value is None or words in helps[name].partition("Default: ")[2], (name, helps[name])


@pytest.mark.parametrize(
    ("name", "start", "end"),
    [
        ("method", "How normal images are described.", " Default: autoencoder."),
        ("coreset", "patchcore: share of", " Default: 0.01."),
        ("patch_scale", "padim, patchcore: strength of", " Default: none."),
        ("image_score", "padim, patchcore: part of", " Default: mean in padim, max in patchcore."),
        ("image_size", "Height and width", " Default: 64 in autoencoder, else 224."),
        ("standardize", "autoencoder: bring each", " Default: yes."),
        ("limit", "Use a stratified", "for trials."),
    ],
)
def test_help_says_which_methods_have_an_option_and_its_default_there(name, start, end):
    text = help_text(options_of(AnomalyConfig)[name], AnomalyConfig.variants())
    assert text.startswith(start) and text.endswith(end)


def test_names_of_runs_say_method_and_architecture():
    assert AnomalyConfig(method="autoencoder").resolved().default_name == "autoencoder"
    assert AnomalyConfig(method="padim", arch="resnet50").resolved().default_name == "padim-resnet50"


@pytest.mark.parametrize("method", ["autoencoder", "padim", "patchcore"])
def test_a_resolved_configuration_survives_json_and_resolves_to_itself(method):
    config = AnomalyConfig(method=method).resolved()
    again = config_from_dict(json.loads(json.dumps(config.to_dict())), kind=AnomalyConfig)
    assert again == config == config.resolved()


FOREIGN = [
    ("padim", "epochs", 5),
    ("padim", "learning_rate", 0.1),
    ("padim", "batch_size", 8),
    ("padim", "patience", 3),
    ("padim", "schedule", "plateau"),
    ("padim", "augment", "light"),
    ("padim", "coreset", 0.5),
    ("padim", "bottleneck", 8),
    ("padim", "standardize", False),
    ("patchcore", "dimensions", 5),
    ("patchcore", "loss", "mse"),
    ("autoencoder", "arch", "vgg16"),
    ("autoencoder", "backbone", "runs/x"),
    ("autoencoder", "dimensions", 5),
    ("autoencoder", "coreset", 0.5),
    ("autoencoder", "image_score", "max"),
    ("autoencoder", "patch_scale", "unit"),
    ("autoencoder", "cache_dir", "cache"),
    ("autoencoder", "cache_budget", "1GB"),
]


@pytest.mark.parametrize(("method", "name", "value"), FOREIGN, ids=lambda value: str(value))
def test_an_option_of_another_method_is_refused_by_name(method, name, value):
    option = "--" + name.replace("_", "-")
    message = f"^{option} is no option of --method {method}. Leave it out, or give another --method.$"
    with pytest.raises(ConfigError, match=message):
        AnomalyConfig(method=method, **{name: value}).resolved()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"method": "gan"}, "--method must be one of autoencoder, padim, patchcore. Received 'gan'"),
        ({"task": "pneumonia-subtype"}, "--task must be one of pneumonia, folders"),
        ({"method": "autoencoder", "loss": "l1"}, "--loss must be one of mse, ssim, mix"),
        ({"method": "autoencoder", "bottleneck": 0}, "--bottleneck must lie between 1 and"),
        (
            {"method": "autoencoder", "image_size": 31},
            "--image-size for --method autoencoder must be at least 32 pixels",
        ),
        ({"method": "autoencoder", "weights": "imagenet"}, "starts from random weights. Leave --weights out"),
        ({"method": "autoencoder", "epochs": 0}, "--epochs must be at least 1"),
        ({"method": "padim", "dimensions": 0}, "--dimensions must lie between 1 and"),
        ({"image_score": "largest"}, "--image-score must be one of mean, max"),
        ({"patch_scale": "half"}, "--patch-scale must be one of none, unit"),
        ({"method": "patchcore", "coreset": 0.0}, "--coreset must lie between"),
        ({"method": "patchcore", "coreset": 1.5}, "--coreset must lie between"),
        ({"method": "padim", "image_size": 16}, "--image-size for vgg16 must lie between 32 and 2048"),
        ({"method": "padim", "arch": "shallow-cnn"}, "--arch shallow-cnn has no pretrained weights. Give --weights"),
        ({"threshold_rule": "best"}, "The threshold rule must be"),
        ({"mixed_precision": True}, "Unknown option 'mixed_precision'"),
        ({"mode": "finetune"}, "Unknown option 'mode'"),
        ({"positive": "PNEUMONIA"}, "Unknown option 'positive'"),
    ],
)
def test_impossible_values_name_the_option(values, message):
    with pytest.raises(ConfigError, match=message):
        config_from_dict(values, kind=AnomalyConfig).resolved()


def test_a_wrong_option_in_a_toml_file_is_named_with_the_file(tmp_path):
    file = tmp_path / "anomaly.toml"
    file.write_text('method = "padim"\nhead-units = 8\n')
    with pytest.raises(ConfigError, match=f"Unknown option 'head_units' in {file}. Known: arch"):
        read_config_file(file, kind=AnomalyConfig)


def run_like(folder, *, kind="classifier", model=True, **config):
    """A run directory of which the record and the presence of a model are all that is looked at."""
    folder.mkdir()
    form = {"arch": "deep-cnn", "image_size": 48, "channels": 3, "resize": "stretch", **config}
    record = {"kind": "medxray-run", "type": kind, "state": "completed", "config": form}
    (folder / "run.json").write_text(json.dumps(record))
    if model:
        (folder / "model.keras").touch()
    return folder


def test_a_backbone_run_brings_architecture_input_and_weights(tmp_path):
    run = run_like(tmp_path / "run")
    config = AnomalyConfig(method="padim", backbone=str(run)).resolved()
    assert (config.arch, config.image_size, config.channels, config.resize) == ("deep-cnn", 48, 3, "stretch")
    assert config.weights == str(run / "model.keras") and config.backbone == str(run)
    assert config.resolved() == config


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arch": "vgg16"}, "--arch is deep-cnn in"),
        ({"image_size": 64}, "--image-size is 48 in"),
        ({"channels": 1}, "--channels is 3 in"),
        ({"resize": "letterbox"}, "--resize is stretch in"),
        ({"weights": "none"}, "--backbone RUN brings its own weights. Leave --weights out"),
    ],
)
def test_what_contradicts_the_backbone_run_is_refused(tmp_path, given, message):
    with pytest.raises(ConfigError, match=message):
        AnomalyConfig(method="padim", backbone=str(run_like(tmp_path / "run")), **given).resolved()


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"kind": "anomaly"}, "--backbone must be a classifier's run that has a model. Received"),
        ({"model": False}, "--backbone must be a classifier's run that has a model. Received"),
        ({"arch": None}, "run.json is damaged: its configuration has no arch"),
    ],
)
def test_a_backbone_that_is_no_trained_classifier_is_refused(tmp_path, form, message):
    with pytest.raises(RunError, match=message):
        AnomalyConfig(method="padim", backbone=str(run_like(tmp_path / "run", **form))).resolved()
    with pytest.raises(RunError, match="There is no run at"):
        AnomalyConfig(method="padim", backbone=str(tmp_path / "nothing")).resolved()
