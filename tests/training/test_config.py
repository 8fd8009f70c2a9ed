import pytest

from medxray.errors import ConfigError
from medxray.training.config import TrainConfig, config_from_dict, read_config_file


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "--epochs must be at least 1. Received 0"),
        ({"image_size": 16}, "--image-size for vgg16 must lie between 32 and 2048. Received 16"),
        ({"image_size": 100000}, "--image-size for vgg16 must lie between 32 and 2048. Received 100000"),
        ({"batch_size": 0}, "--batch-size must lie between 1 and 4096"),
        ({"dropout": 1.0}, "--dropout must lie between 0 and 0.95"),
        ({"learning_rate": -1.0}, "--learning-rate must lie between"),
        ({"arch": "vgg"}, "--arch must be one of vgg16"),
        ({"mode": "tune"}, "--mode must be one of extract, finetune, progressive, full, scratch"),
        ({"channels": 2}, "--channels must be one of 1, 3"),
        ({"epochs": "ten"}, "--epochs must be int. Received 'ten'"),
        ({"epochs": True}, "--epochs must be int. Received True"),
        ({"strict": 1}, "--strict must be bool"),
        ({"seed": -1}, "--seed must lie between 0 and"),
        ({"epoch": 3}, "Unknown option 'epoch' in configuration"),
    ],
)
def test_impossible_values_name_the_option_and_its_range(values, message):
    with pytest.raises(ConfigError, match=message):
        config_from_dict(values)


def test_contradictions_are_refused_when_resolved():
    with pytest.raises(ConfigError, match="--mode scratch trains from random weights"):
        TrainConfig(mode="scratch", weights="imagenet").resolved()
    with pytest.raises(ConfigError, match="has no frozen layers to cache"):
        TrainConfig(mode="scratch", views=2).resolved()


def test_defaults_follow_the_architecture_and_the_mode():
    vgg, cnn = TrainConfig(arch="vgg16").resolved(), TrainConfig(arch="deep-cnn").resolved()
    assert (vgg.mode, vgg.views, vgg.learning_rate, vgg.weights) == ("finetune", 2, 1e-4, "auto")
    assert (cnn.mode, cnn.views, cnn.learning_rate, cnn.weights) == ("scratch", 0, 1e-3, "none")
    whole = [TrainConfig(arch=arch, mode="full").resolved().learning_rate for arch in ("vgg16", "densenet121")]
    assert whole == [1e-4, 5e-4]
    assert TrainConfig(arch="vgg16", mode="full", learning_rate=3e-4).resolved().learning_rate == 3e-4
    assert TrainConfig(seed=0, views=0).resolved().views == 0
    epochs = [
        TrainConfig(views=views, head_epochs=given).resolved().head_epochs
        for views, given in ((2, None), (0, None), (0, 7))
    ]
    assert epochs == [10, 2, 7]  # without cached views an epoch of the head costs a pass through the frozen layers


def test_resolved_configuration_survives_json():
    config = TrainConfig(arch="resnet50", limit=100).resolved()
    assert config_from_dict(config.to_dict()) == config


def test_toml_file_gives_options_with_dashes_or_underscores(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text('arch = "resnet50"\nimage-size = 64\nbatch_size = 8\nl2 = 0\n')
    values = read_config_file(file)
    assert values == {"arch": "resnet50", "image_size": 64, "batch_size": 8, "l2": 0}
    assert config_from_dict(values).l2 == 0.0


def test_a_flag_may_stand_in_the_file_as_on_the_command_line(tmp_path):
    file = tmp_path / "a.toml"
    file.write_text("no-export = true\nstrict = true\n")
    assert read_config_file(file) == {"export": False, "strict": True}


BAD = ["no-export = 1", "no-epochs = true", "arch = ", "archh = 'vgg16'", "epochs = 0", "\xff"]


@pytest.mark.parametrize("text", BAD)
def test_bad_toml_files_are_refused_by_name(tmp_path, text):
    file = tmp_path / "bad.toml"
    file.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError):
        read_config_file(file)


@pytest.mark.parametrize("option", ["data", "weights", "name", "cache_dir"])
def test_an_empty_text_is_refused(option):
    with pytest.raises(ConfigError, match=f"--{option.replace('_', '-')} must not be empty"):
        TrainConfig(**{option: ""})


@pytest.mark.parametrize(
    ("arch", "side", "size"),
    [("shallow-cnn", 28, 28), ("vgg16", 28, 32), ("vgg16", 64, 64), ("deep-cnn", 224, 224), ("shallow-cnn", 8, 16)],
)
def test_input_of_a_medmnist_file_is_enlarged_only_where_the_architecture_needs_it(medmnist_file, arch, side, size):
    file = str(medmnist_file(side=side))
    assert TrainConfig(arch=arch, data=file).resolved().image_size == size
    assert TrainConfig(arch=arch, data=file, image_size=96).resolved().image_size == 96
    assert TrainConfig(arch=arch, data="elsewhere").resolved().image_size == 224
