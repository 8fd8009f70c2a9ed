"""An empty name, as from a shell variable that is not set, is a usage error and never the current folder."""

import click
import pytest

from medxray.cli import cli
from medxray.cli.options import NamedPath

EMPTY = [
    ["train", "--resume", ""],
    ["train", "--config", ""],
    ["train", "--runs-dir", ""],
    ["anomaly", "train", "--backbone", ""],
    ["evaluate", ""],
    ["adapt", "", "--data", "x"],
    ["adapt", "run", "--data", ""],
    ["evaluate", "run", "--data", ""],
    ["predict", "x.png", ""],
    ["predict", "x.png", "--model", ""],
    ["predict", "x.png", "--csv", ""],
    ["predict", "x.png", "--neighbors", "3", "--neighbors-out", ""],
    ["gradcam", ""],
    ["gradcam", "x.png", "--out", ""],
    ["anomaly", "map", ""],
    ["anomaly", "map", "x.png", "--out", ""],
    ["embed", "extract", ""],
    ["embed", "extract", "run", "--out", ""],
    ["embed", "knn", ""],
    ["embed", "plot", ""],
    ["plot", ""],
    ["plot", "run", "--out", ""],
    ["video", "", "--out", "film.webm"],
    ["video", "run", "--out", ""],
    ["export", ""],
    ["export", "run", "--to", ""],
    ["gate", ""],
    ["data", "inspect", ""],
    ["data", "phantom", ""],
    ["cache", "clear", "--cache-dir", ""],
]


@pytest.mark.parametrize("words", EMPTY, ids=lambda words: " ".join(word or "''" for word in words))
def test_an_empty_name_is_a_usage_error_and_nothing_is_written(medxray, tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    status, out, err = medxray(*words)
    assert status == 2 and out == "" and len(err.splitlines()) == 1
    assert "An empty name was given, perhaps from a variable that is not set." in err
    assert list(tmp_path.iterdir()) == []


def parameters(command, name):
    yield from ((f"{name} {parameter.name}", parameter) for parameter in command.params)
    for child, sub in getattr(command, "commands", {}).items():
        yield from parameters(sub, f"{name} {child}")


def test_every_path_of_a_command_is_of_the_type_that_refuses_empty_names():
    """What is a path is told by its type, or by how the help calls it."""
    found = dict(parameters(cli, "medxray"))
    called = ("RUN", "DIR", "FILE", "[DATA]")
    paths = {
        name
        for name, one in found.items()
        if isinstance(one.type, click.Path)
        or one.metavar in called
        or (isinstance(one, click.Argument) and one.metavar not in ("ARCH", "[ARCH]..."))
    }
    assert len(paths) > 30
    assert [name for name in sorted(paths) if not isinstance(found[name].type, NamedPath)] == []


def test_an_image_that_may_not_be_read_stops_no_command_before_it_is_listed():
    found = dict(parameters(cli, "medxray"))
    for name in ("predict", "gradcam", "anomaly map"):
        assert not found[f"medxray {name} paths"].type.readable, name
