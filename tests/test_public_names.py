"""What `import medxray` offers, and that README and docs import nothing else."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import medxray

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WITH_TENSORFLOW = {"Run", "load_run", "resume", "train", "write_film"}


def snippets(page):
    return re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S)


def names_used(code):
    """Names of `medxray` that some code imports or reads, and modules below it that it imports."""
    used, below = set(), set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and node.module == "medxray":
            used |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module.startswith("medxray."):
            below.add(node.module)
        elif isinstance(node, ast.Import):
            below |= {alias.name for alias in node.names if alias.name.startswith("medxray.")}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "medxray":
            used.add(node.attr)
    return used, below


@pytest.mark.parametrize("name", medxray.__all__)
def test_every_public_name_is_there_and_has_a_docstring(name):
    value = getattr(medxray, name)
    assert value.__doc__ and value.__name__ == name and name in dir(medxray)


def test_names_without_tensorflow_do_not_import_it():
    code = (
        "import json, sys, medxray\n"
        f"names = [name for name in medxray.__all__ if name not in {sorted(WITH_TENSORFLOW)}]\n"
        "values = [getattr(medxray, name) for name in names]\n"
        "print(json.dumps([len(values), 'tensorflow' in sys.modules, 'matplotlib' in sys.modules]))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(answer.stdout) == [len(medxray.__all__) - len(WITH_TENSORFLOW), False, False]


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page)], ids=lambda page: page.name)
def test_code_in_readme_and_docs_uses_public_names_only(page):
    for code in snippets(page):
        used, below = names_used(code)
        assert below == set(), page
        assert used <= set(medxray.__all__), page
