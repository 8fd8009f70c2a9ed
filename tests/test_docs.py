"""README and docs name what exists, and their links lead somewhere."""

import ast
import re
import sys
from pathlib import Path

import click
import pytest

import medxray
from medxray.cli import cli
from medxray.moved import MOVED

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "medxray"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
PICTURE = ROOT / "docs" / "images" / "heatmap.png"
FENCED = re.compile(r"^```.*?^```", re.S | re.M)

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def read(*names):
    """The text of a page."""
    return ROOT.joinpath(*names).read_text(encoding="utf-8")


def commands(group=cli, prefix="medxray"):
    """The name of each command that is no group."""
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, f"{prefix} {name}")
        else:
            yield f"{prefix} {name}"


def test_readme_lists_every_command():
    assert [name for name in commands() if f"`{name}" not in read("README.md")] == []


def test_readme_begins_with_a_small_picture_and_says_once_what_medxray_is_not():
    text = read("README.md")
    assert text.split("\n\n")[1].startswith("![")
    assert PICTURE.stat().st_size < 200_000
    assert text.lower().count("not a medical device") == 1


def test_the_tour_of_the_readme_has_at_most_forty_lines():
    tour = read("README.md").split("\n## ")
    (tour,) = [part for part in tour if part.startswith("A tour")]
    assert sum(len(block.splitlines()) - 2 for block in FENCED.findall(tour)) <= 40


def anchors(page):
    """The anchors of the headings of a page, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", FENCED.sub("", page.read_text(encoding="utf-8")), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@each_page
def test_links_between_pages_lead_to_a_file_and_a_heading(page):
    for target, anchor in re.findall(r"\]\(([^)#:=]*)(?:#([^)]*))?\)", page.read_text(encoding="utf-8")):
        file = page.parent / target if target else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), f"{target}#{anchor}"


@each_page
def test_files_of_the_project_that_a_page_names_exist(page):
    text = FENCED.sub("", page.read_text(encoding="utf-8"))
    named = re.findall(r"`((?:medxray|tests|scripts)/[\w/]*\w(?:\.\w+|/))`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@each_page
def test_pages_hold_no_placeholder(page):
    assert "@@" not in page.read_text(encoding="utf-8")


def test_every_manual_is_linked_from_the_readme_and_every_note_from_a_manual():
    docs = ROOT / "docs"
    for folder, pages in ((docs, [ROOT / "README.md"]), (docs / "notes", list(docs.glob("*.md")))):
        linked = {(page.parent / link).resolve() for page in pages for link in links(page)}
        assert set(folder.glob("*.md")) - linked == set()


def links(page):
    """The files that a page links to, relative to it."""
    return re.findall(r"\]\(([^)#:=]+\.md)", page.read_text(encoding="utf-8"))


@each_page
def test_python_in_the_pages_uses_names_that_medxray_offers(page):
    for snippet in re.findall(r"```python\n(.*?)```", page.read_text(encoding="utf-8"), re.S):
        for node in ast.walk(ast.parse(snippet, page.name)):
            if isinstance(node, ast.ImportFrom) and node.module.startswith("medxray"):
                assert node.module == "medxray", "README and docs import from medxray itself"
                assert {alias.name for alias in node.names} - set(medxray.__all__) == set()
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "medxray":
                assert node.attr in medxray.__all__


def rooms():
    """What stands in medxray/: packages as `name/` or `name/inner/`, top modules as `name.py`."""
    packages = {f"{path.parent.relative_to(PACKAGE).as_posix()}/" for path in PACKAGE.rglob("*/__init__.py")}
    return packages | {path.name for path in PACKAGE.glob("*.py")}


def rooms_of_the_picture():
    """The rooms and top modules that docs/architecture.md draws, named as in `rooms`."""
    tree = read("docs", "architecture.md").split("\nmedxray/\n")[1].split("```")[0]
    drawn, outer = set(), ""
    for indent, name in re.findall(r"^( {2}| {4})([\w/]+/|\w+\.py)(?=\s|$)", tree, re.M):
        outer = name if len(indent) == 2 else outer
        drawn |= {name} if len(indent) == 2 else {outer + name} if name.endswith("/") else set()
    return drawn


def test_the_picture_of_the_architecture_shows_every_room_and_no_other():
    assert rooms_of_the_picture() == rooms()


def test_the_files_that_the_picture_of_the_architecture_names_exist_in_their_room():
    tree = read("docs", "architecture.md").split("\nmedxray/\n")[1].split("```")[0]
    folder, inner, missing = PACKAGE, PACKAGE, []
    for line in tree.splitlines():
        room = re.match(r"^( {2}| {4})(\w+)/(?=\s|$)", line)
        if room:
            folder = PACKAGE / room[2] if len(room[1]) == 2 else folder
            inner = folder if len(room[1]) == 2 else folder / room[2]
        elif re.match(r"^ {4}\w", line):
            inner = folder
        elif re.match(r"^ {2}\w", line):
            folder = inner = PACKAGE
        missing += [f"{inner.name}/{name}" for name in re.findall(r"\b\w+\.py\b", line) if not (inner / name).is_file()]
    assert missing == []


def test_every_package_imported_is_declared():
    declared = read("setup.cfg")
    distributions = {
        "IPython": "ipykernel",
        "cv2": "opencv-python-headless",
        "markdown_it": "markdown-it-py",
        "PIL": "pillow",
        "sklearn": "scikit-learn",
        "tf_keras_vis": "tf-keras-vis",
    }
    nodes = [node for path in PACKAGE.rglob("*.py") for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))]
    imported = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module for node in nodes if isinstance(node, ast.ImportFrom)}
    packages = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"medxray"}
    assert "tensorflow" in packages
    assert {name for name in packages if distributions.get(name, name) not in declared} == set()


def test_every_dependency_stands_with_its_purpose_in_the_readme():
    table = read("README.md").split("| package | for |")[1]
    required = read("setup.cfg").split("install_requires =")[1].split("[options.extras_require]")[0]
    names = re.findall(r"^ {4}([\w-]+)", required, re.M)
    assert "numpy" in names
    assert [name for name in names if name not in table] == []


def room_of(module):
    """The room of a module; the rooms inside `data` count."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "data" and len(parts) > 2 else 1])


def moves():
    """What CHANGELOG says of MOVED: a row of Markdown for each new room with the old modules that it holds."""
    found = {}
    for old, new in MOVED.items():
        for room in {room_of(place) for place in new.split()} - {room_of(old) if "." in old else None}:
            found.setdefault(room, []).append(f"`{old}`")
    rows = [f"| `{room}` | {', '.join(sorted(olds))} |" for room, olds in sorted(found.items())]
    return ["| new room | holds what was in |", "|---|---|", *rows]


def test_the_moves_of_the_changelog_are_those_that_old_import_paths_follow():
    lines = read("CHANGELOG.md").splitlines()
    assert [row for row in moves() if row not in lines] == []
