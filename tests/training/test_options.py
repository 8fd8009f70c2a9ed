"""One place tells what an option is; defaults in words, the commands and the pages follow from it."""

import dataclasses
import importlib.util
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from medxray import AnomalyConfig, TrainConfig
from medxray.training.options import Option, default_text, help_text, option, options_of, restated

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Group:
    size: int | None = option(None, "How large.", low=1, high=9)


@dataclass(frozen=True)
class Config(Group):
    size: int = restated(Group, "size", 4, help="How small.")


def test_a_restated_option_keeps_what_is_not_told_again():
    assert options_of(Group)["size"] == Option("size", int, True, None, "How large.", low=1, high=9)
    assert options_of(Config)["size"] == Option("size", int, False, 4, "How small.", low=1, high=9)


def test_another_default_or_type_is_no_option_of_its_own():
    assert [field.name for field in dataclasses.fields(Config)] == ["size"]


@pytest.mark.parametrize(
    ("defaults", "words"),
    [
        ({"a": 1, "b": 1, "c": 1}, "1"),
        ({"a": 1, "b": 2, "c": 2}, "1 in a, else 2"),
        ({"a": 1, "b": 2}, "1 in a, 2 in b"),
        ({"a": 1e-4, "b": True, "c": True}, "0.0001 in a, else yes"),
        ({"a": None}, ""),
        ({}, "7"),
    ],
)
def test_defaults_that_depend_on_a_choice_are_told_apart(defaults, words):
    variants = {name: {"size": value} for name, value in defaults.items()}
    given = Option("size", int, True, 7 if not defaults else None, "How large.")
    assert default_text(given, variants) == words


def test_help_names_the_owners_of_an_option_that_not_all_have():
    text = help_text(Option("size", int, True, None, "How large."), {"a": {"size": 3}, "b": {}})
    assert text == "a: how large. Default: 3."


@pytest.mark.parametrize("config_class", [TrainConfig, AnomalyConfig])
def test_each_option_has_a_sentence_and_a_choice_of_the_command(config_class):
    from medxray.cli.anomaly import train as detect
    from medxray.cli.command import LEVELS
    from medxray.cli.train import train

    command, studies = (train, {"seeds", "kfold"}) if config_class is TrainConfig else (detect, set())
    offered = {parameter.name: parameter for parameter in command.params if parameter not in LEVELS}
    assert set(offered) - set(options_of(config_class)) == {"config_file", "resume"} | studies
    for name, told in options_of(config_class).items():
        assert told.help.endswith(".") and offered[name].help == help_text(told, config_class.variants())
        assert offered[name].default is None, name


def test_the_tables_of_options_in_the_docs_are_up_to_date(monkeypatch):
    spec = importlib.util.spec_from_file_location("option_tables", ROOT / "scripts" / "option_tables.py")
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    monkeypatch.setattr(sys, "argv", ["option_tables.py", "--check"])
    tables.main()
    monkeypatch.setitem(tables.PAGES, "anomaly.md", TrainConfig)
    with pytest.raises(SystemExit, match="docs/anomaly.md: not as the options and commands are. Run:"):
        tables.main()
