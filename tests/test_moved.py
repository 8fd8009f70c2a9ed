"""The import paths of version 0.1: `fixtures/names_of_version_0_1.txt` has a module and its used names in each line."""

import importlib
import re
import warnings
from pathlib import Path

import pytest

import medxray
from medxray.moved import MOVED, RENAMED

NAMES = Path(__file__).parent / "fixtures" / "names_of_version_0_1.txt"
OLD = [(module, names) for module, *names in map(str.split, NAMES.read_text(encoding="utf-8").splitlines())]
PACKAGE = Path(medxray.__file__).parent
LEFT = [(module, names) for module, names in OLD if not (PACKAGE / f"{module.replace('.', '/')}.py").exists()]
GONE = {f"{module}.{name}" for module, names in LEFT for name in names if module in MOVED} | set(RENAMED)


def module_of(name):
    return importlib.import_module("medxray" if name == "medxray" else f"medxray.{name}")


def value_and_warnings(module, name):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        value = getattr(module_of(module), name)
    texts = [str(one.message) for one in caught if one.category is DeprecationWarning]
    return value, [text for text in texts if " is now medxray." in text]


@pytest.mark.parametrize(("module", "names"), OLD, ids=[module for module, _ in OLD])
def test_a_module_of_version_0_1_is_found_with_the_names_that_were_used(module, names):
    assert module_of(module)
    for name in names:
        value_and_warnings(module, name)


@pytest.mark.parametrize("old", sorted(GONE))
def test_the_warning_of_an_old_name_says_where_the_same_thing_is_now(old):
    module, _, name = old.rpartition(".")
    value, messages = value_and_warnings(module, name)
    assert len(messages) == 1
    room, present = re.fullmatch(
        rf"medxray\.{re.escape(old)} is now (.+)\.(\w+); the old path .*", messages[0]
    ).groups()
    assert getattr(importlib.import_module(room), present) is value


def test_the_table_of_moves_has_old_modules_only():
    assert set(MOVED) <= {module for module, _ in OLD}


def test_a_name_that_never_was_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = module_of("data.labels").nothing
    with pytest.raises(ImportError):
        module_of("data.nothing")
