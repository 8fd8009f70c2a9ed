import re
import shutil
from pathlib import Path

from medxray.explain.folder import raw_arrays
from medxray.explain.methods import METHODS
from medxray.models.registry import ARCHITECTURES

DOC = (Path(__file__).resolve().parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")


def test_documented_layers_are_those_of_the_registry():
    rows = re.findall(r"^\| ([\w.-]+) \| `(\w+)` \| \d+ x \d+ \|$", DOC, flags=re.MULTILINE)
    assert dict(rows) == {name: entry.heat_layer for name, entry in ARCHITECTURES.items()}


def test_documented_methods_are_those_of_the_table():
    table = DOC.split("| method | what it shows |")[1].split("\n\n")[0].splitlines()[2:]
    options = {row.name: [f"`{one.name}={one.default}` {one.about}" for one in row.options] for row in METHODS.values()}
    rows = [
        (f"`{row.name}`", row.about, row.passes, row.source, "; ".join(options[row.name])) for row in METHODS.values()
    ]
    assert table == [f"| {' | '.join(row)} |" for row in rows]


def test_documented_arrays_are_those_of_the_npz(binary_run, image_files):
    (heatmap,), _ = binary_run.explain(image_files(binary_run)[:1])
    table = DOC.split("| array | content |")[1].split("\n\n")[0]
    assert set(re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (.*?) \|", table, flags=re.MULTILINE)))) == set(
        raw_arrays(heatmap)
    )


def test_documented_snippet_runs(binary_run, image_files, tmp_path, monkeypatch, capsys):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "latest").symlink_to(binary_run.path)
    shutil.copy(image_files(binary_run)[0], tmp_path / "image.png")
    monkeypatch.chdir(tmp_path)
    (snippet,) = re.findall(r"```python\n(.*?)```", DOC, flags=re.DOTALL)
    exec(compile(snippet, "explain.md", "exec"), {})
    target, probability, shape = capsys.readouterr().out.split(" ", 2)
    assert target == "PNEUMONIA" and 0 < float(probability) < 1 and shape == "(64, 64)\n"
