"""`medxray config show` prints options as TOML that `--config` takes again."""

import dataclasses
import json
import tomllib

import pytest

from medxray import AnomalyConfig, TrainConfig
from medxray.anomaly.methods import METHODS
from medxray.cli import cli
from medxray.ensemble.config import EnsembleConfig
from medxray.run_options import options_text
from medxray.training.config import config_from_dict, read_config_file
from medxray.training.mode_defaults import MODES


@pytest.fixture
def run_of(tmp_path):
    """Function (config, name="a"): the path of a run with that configuration, as training begins one."""
    from medxray.runs.directory import create_run

    def made(config):
        return create_run(dataclasses.replace(config, runs_dir=str(tmp_path)), command=["medxray", "train"]).path

    return made


def again(text, file, kind):
    """The configuration that `--config` makes of a text."""
    file.write_text(text, encoding="utf-8")
    return config_from_dict(read_config_file(file, kind=kind), kind=kind).resolved()


CONFIGS = [
    *(TrainConfig(arch="vgg16", mode=mode) for mode in MODES),
    TrainConfig(arch="shallow-cnn", optimizer="sgd", schedule="plateau", export=False, deterministic=True),
    TrainConfig(arch="vgg16", mode="progressive", unfreeze_to="block4_pool", stage_epochs="3,2", head_norm=False),
    TrainConfig(holdout="clusters", label_map='a "quote"=NORMAL,b=PNEUMONIA', learning_rate="auto"),
    *(AnomalyConfig(method=method) for method in METHODS),
    AnomalyConfig(method="patchcore", coreset=1e-5, seed=4),
]


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: f"{config.TYPE}-{getattr(config, 'mode', '')}")
def test_the_options_of_a_run_make_the_same_run_again(run_of, tmp_path, config):
    resolved = config.resolved()
    found = again(options_text(run_of(resolved)), tmp_path / "again.toml", type(config))
    assert found == dataclasses.replace(resolved, runs_dir=str(tmp_path), name=None)


@pytest.mark.parametrize("config", CONFIGS[:4] + CONFIGS[-2:], ids=lambda config: config.TYPE)
def test_the_options_of_a_file_are_those_it_asks_for_with_all_defaults(tmp_path, config):
    file = tmp_path / "a.toml"
    given = {name: value for name, value in config.to_dict().items() if value != type(config)().to_dict()[name]}
    file.write_text("".join(f"{name.replace('_', '-')} = {json.dumps(value)}\n" for name, value in given.items()))
    text = options_text(file)
    assert again(text, tmp_path / "again.toml", type(config)) == config.resolved()
    assert text.startswith(f"# medxray {config.COMMAND} --config FILE\n")
    assert "image-size" in tomllib.loads(text) and "mixed-precision" not in text


def test_the_command_prints_it(medxray, run_of, tmp_path):
    status, out, err = medxray("config", "show", run_of(TrainConfig(arch="shallow-cnn", name="mine").resolved()))
    assert status == 0 and err == ""
    assert tomllib.loads(out)["arch"] == "shallow-cnn" and "mine" not in out
    status, out, _ = medxray("config", "show", tmp_path / "latest") if (tmp_path / "latest").exists() else (0, out, "")
    assert status == 0


def test_a_study_and_a_search_tell_what_their_runs_share(tmp_path):
    record = {"config": TrainConfig(arch="vgg16", data="somewhere").to_dict(), "type": "classifier"}
    (tmp_path / "study").mkdir()
    study = {"kind": "medxray-study", "what": "folds", "runs": 5, "command": [], **record}
    (tmp_path / "study" / "study.json").write_text(json.dumps(study))
    text = options_text(tmp_path / "study")
    assert text.startswith("# medxray train --config FILE --kfold 5\n") and 'data = "somewhere"' in text
    (tmp_path / "search").mkdir()
    search = {
        "kind": "medxray-tuning",
        "search": [],
        "trials": 3,
        "mark": "m",
        "objective": "auroc",
        "judge_on": "clean",
    }
    (tmp_path / "search" / "tuning.json").write_text(json.dumps({**search, **record}))
    assert options_text(tmp_path / "search").startswith("# medxray tune --config FILE\n")


@pytest.mark.parametrize("name", ["train", "lr-find", "tune"])
def test_every_command_that_the_first_line_names_has_the_option(name):
    assert any("--config" in option.opts for option in cli.commands[name].params)


def test_an_ensemble_has_no_file_of_options(medxray, run_of):
    run = run_of(EnsembleConfig(members=("a", "b"), name="both"))
    status, out, err = medxray("config", "show", run)
    assert status == 1 and out == "" and len(err.splitlines()) == 1
    assert "is of the kind 'ensemble', whose command has no --config. It was made by: medxray train" in err


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("epochs = [", 2, "Could not read options from"),
        ("epoch = 3", 2, "Unknown option 'epoch' in"),
        ("epochs = 0", 2, "--epochs must be at least 1"),
        ('method = "patchcor"', 2, "--method must be one of"),
        ('mode = "scratch"\nviews = 3', 2, "--mode scratch has no frozen layers to cache"),
    ],
)
def test_a_file_that_train_would_refuse_is_refused_in_one_line(medxray, tmp_path, text, status, message):
    (tmp_path / "a.toml").write_text(text)
    found, out, err = medxray("config", "show", tmp_path / "a.toml")
    assert (found, out) == (status, "") and len(err.splitlines()) == 1 and message in err


def test_what_is_no_run_and_what_a_newer_version_wrote_are_errors_of_one_line(medxray, run_of, tmp_path):
    assert "There is no run at" in medxray("config", "show", tmp_path / "nothing")[2]
    run = run_of(TrainConfig().resolved())
    record = json.loads((run / "run.json").read_text())
    record["config"]["colour"] = "red"
    (run / "run.json").write_text(json.dumps(record))
    status, _, err = medxray("config", "show", run)
    assert status == 1 and "cannot be used by this version of medxray: Unknown option 'colour'" in err
