"""A mistyped command, option, value or run is answered with what was probably meant, in one line."""

import re

import pytest


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["trian"], "train"),
        (["data", "inspekt"], "inspect"),
        (["weights", "lst"], "list"),
        (["train", "--epoch", "3"], "--epochs"),
        (["predict", "x.png", "--modle", "runs/a"], "--model"),
        (["train", "--arch", "vgg-16"], "vgg16"),
        (["train", "--mode", "finetunes"], "finetune"),
        (["train", "--learning-rate", "aut"], "auto"),
        (["models", "VGG-16"], "vgg16"),
        (["weights", "fetch", "resnet5"], "resnet50"),
        (["predict", "x.png", "--gate", "warm"], "warn"),
        (["evaluate", "runs/a", "--split", "tset"], "test"),
        (["explain", "maps", "x.png", "--method", "grad-cam", "--model", "RUN"], "gradcam"),
        (["tune", "--arch", "vgg16", "--search", "droput"], "dropout"),
        (["train", "--arch", "vgg16", "--mode", "progressive", "--unfreeze-to", "block5-pool"], "block5_pool"),
    ],
)
def test_a_mistyped_word_is_answered_with_the_one_that_is_like_it(medxray, binary_run, words, meant):
    status, _, err = medxray(*(str(binary_run.path) if word == "RUN" else word for word in words))
    assert status == 2 and len(err.splitlines()) == 1
    assert f"Did you mean '{meant}'?" in err or re.search(f"(Did you mean one of|Possible options): .*{meant}", err)


def test_words_that_are_like_nothing_are_not_guessed_at(medxray):
    assert medxray("zebra") == (2, "", "Error: There is no command 'zebra'.\n")


def test_a_mistyped_run_is_answered_with_the_run_beside_it(medxray, tmp_path):
    (tmp_path / "vgg16-finetune").mkdir()
    (tmp_path / "vgg16-finetune" / "run.json").write_text("{}")
    (tmp_path / "vgg16-finetunes-notes").mkdir()
    status, _, err = medxray("evaluate", tmp_path / "vgg16-finetun")
    assert status == 1 and "Did you mean 'vgg16-finetune'?" in err


def test_a_mistyped_option_in_a_file_is_answered_with_the_one_that_is_like_it(medxray, tmp_path):
    (tmp_path / "a.toml").write_text("epoch = 3\n")
    status, _, err = medxray("train", "--config", tmp_path / "a.toml")
    assert status == 2 and "a.toml. Did you mean 'epochs'?" in err
