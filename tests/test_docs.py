"""README and docs name what exists."""

import ast
import re
import sys
from pathlib import Path

import pytest

from medxray.cli import cli

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])


def commands(group=cli, prefix="medxray"):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}", command


def known_options():
    options = {"--help", "--version", "--debug"}
    for _, command in commands():
        named = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
        options |= {option for option in named if option.startswith("--")}
    return options


def test_readme_lists_every_command():
    table = (ROOT / "README.md").read_text()
    assert [name for name, _ in commands() if f"`{name}" not in table] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_options_in_the_docs_exist(page):
    text = page.read_text()
    lines = [line for line in text.splitlines() if "medxray " in line and "pip " not in line]
    used = {option for line in lines for option in re.findall(r"(?<![\w-])--[a-z][a-z-]*", line)}
    assert used - known_options() == set()
    names = {name for name, _ in commands()} | {"medxray data", "medxray cache"}
    called = set(re.findall(r"`(medxray (?:data |cache )?[a-z]+)\b", text))
    assert {name for name in called if not any(known.startswith(name) for known in names)} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_scripts_in_the_docs_have_the_options_they_are_called_with(page):
    text = page.read_text().replace("\\\n", " ")
    for name, words in re.findall(r"python (scripts/\w+\.py)([^`\n]*)", text):
        known = set(re.findall(r'"(--[a-z-]+)"', (ROOT / name).read_text()))
        assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", words)) - known == set(), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#:=]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_hold_no_placeholder(page):
    assert "@@" not in page.read_text()


def test_python_snippets_of_the_readme_compile():
    snippets = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(snippets) == 2
    for snippet in snippets:
        compile(snippet, "README.md", "exec")


def test_every_package_imported_is_declared():
    declared = (ROOT / "setup.cfg").read_text()
    distributions = {"cv2": "opencv-python-headless", "sklearn": "scikit-learn", "tf_keras_vis": "tf-keras-vis"}
    nodes = [node for path in (ROOT / "medxray").rglob("*.py") for node in ast.walk(ast.parse(path.read_text()))]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    packages = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"medxray"}
    assert "tensorflow" in packages
    assert {name for name in packages if distributions.get(name, name) not in declared} == set()
