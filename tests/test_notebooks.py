"""The notebooks of examples/: stored without outputs, and run on phantoms as they are stored."""

import ast
import json
import re
from pathlib import Path

import pytest

import medxray

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
QUICK = {"arch": "shallow-cnn", "mode": "scratch", "image_size": 32, "epochs": 2, "batch_size": 16}
GIVEN = {  # what the test says in place of the cell with the parameters
    "1-quick-start": "DATA = Path({phantoms!r})\nTRAINING = {quick!r}",
    "2-your-own-images": "TRAINING = {quick!r}\nAUDITED = 8",
    "3-kaggle-or-colab": "ON_KAGGLE = ON_COLAB = False\nDATA = Path({phantoms!r})\nHOME = Path('home')\n"
    "TRAINING = {quick!r}",
}

each_notebook = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)


def cells(file, kind="code"):
    """Sources and the cells themselves of one kind."""
    book = json.loads(file.read_text(encoding="utf-8"))
    return [("".join(cell["source"]), cell) for cell in book["cells"] if cell["cell_type"] == kind]


def test_there_are_three():
    assert [file.stem for file in NOTEBOOKS] == sorted(GIVEN)


@each_notebook
def test_notebooks_are_stored_without_outputs(file):
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for _, cell in cells(file))
    assert [cell["metadata"].get("tags") for _, cell in cells(file)].count(["parameters"]) == 1


@each_notebook
def test_notebooks_use_names_that_medxray_offers(file):
    for source, _ in cells(file):
        plain = re.sub(r"^(\s*)[%!].*$", r"\1pass", source, flags=re.M)
        for node in ast.walk(ast.parse(plain)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "medxray":
                assert node.attr in medxray.__all__
            assert not isinstance(node, ast.ImportFrom) or not node.module.startswith("medxray")


@each_notebook
def test_links_of_notebooks_lead_somewhere(file):
    for text, _ in cells(file, "markdown"):
        for target in re.findall(r"\]\(([^)#:]+)", text):
            assert (file.parent / target).exists(), target


@pytest.mark.slow
@each_notebook
def test_notebooks_run_and_show_what_they_promise(file, phantoms, tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    book = nbformat.read(file, as_version=4)
    given = GIVEN[file.stem].format(phantoms=str(phantoms), quick=QUICK)
    place = next(at for at, cell in enumerate(book.cells) if cell.metadata.get("tags") == ["parameters"])
    book.cells.insert(place + 1, nbformat.v4.new_code_cell(given))
    nbclient.NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    written = "".join(output.text for output in shown if output.output_type == "stream")
    assert "\r" not in written and "\x1b" not in written
    pages = [output.data.get("text/html", "") for output in shown if "data" in output]
    assert any(page.startswith('<iframe srcdoc="&lt;!DOCTYPE html&gt;') for page in pages)
    assert any("<progress " in page for page in pages) and any("AUROC" in page for page in pages)
    if file.stem == "1-quick-start":
        assert any("image/png" in output.get("data", {}) for output in shown)  # run.plot
        assert any('<img alt="Heatmap"' in page for page in pages)
    if file.stem == "2-your-own-images":
        assert "Images         60 of 60 patients" in written
    if file.stem == "3-kaggle-or-colab":
        assert (tmp_path / "home" / "medxray-results.zip").stat().st_size > 10_000
