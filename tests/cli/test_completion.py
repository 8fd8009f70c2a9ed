"""What shells complete: by Click's protocol, and in the shells themselves."""

import os
import shlex
import shutil
import subprocess
import sys
import time

import pytest

PROGRAM = (
    '#!/bin/sh\nexec {python} -c \'import sys; sys.argv[0] = "medxray"; from medxray.cli import main; main()\' "$@"\n'
)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with `medxray` on the path, two runs, a folder and a file; the current one."""
    program = tmp_path / "bin" / "medxray"
    program.parent.mkdir()
    program.write_text(PROGRAM.format(python=shlex.quote(sys.executable)))
    program.chmod(0o755)
    here = tmp_path / "here"
    for name in ("vgg16-finetune", "lite0-full"):
        (here / "runs" / name).mkdir(parents=True)
        (here / "runs" / name / "run.json").write_text("{}")
    (here / "runs" / "notes").mkdir()
    (here / "scans").mkdir()
    (here / "scan.png").write_text("")
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path for path in sys.path if path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(here)
    return here


def complete(line):
    """What Click answers a shell: list of (type, value)."""
    words = line.split(" ")
    environment = {"_MEDXRAY_COMPLETE": "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1)}
    answer = subprocess.run(["medxray"], env=os.environ | environment, capture_output=True, text=True, check=True)
    assert answer.stderr == ""
    return [tuple(found.split(",", 1)) for found in answer.stdout.splitlines()]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("medxray tr", ["train"]),
        ("medxray data insp", ["inspect"]),
        ("medxray train --arch vgg", ["vgg16", "vgg19"]),
        ("medxray train --mode s", ["scratch"]),
        ("medxray train --decide", ["--decide-on"]),
        (
            "medxray models vgg16 eff",
            ["efficientnet-lite0", "efficientnet-lite1", "efficientnet-lite2", "efficientnetv2-b0"],
        ),
        ("medxray weights fetch alex", ["alexnet"]),
        ("medxray explain maps scan.png --method gradcam,occ", ["gradcam,occlusion"]),
        ("medxray predict scan.png --gate r", ["refuse"]),
        ("medxray ensemble runs/a --weights n", ["nll"]),
    ],
)
def test_names_of_commands_options_and_tables_are_completed(place, line, values):
    assert complete(line) == [("plain", value) for value in values]


@pytest.mark.parametrize(
    "line",
    [
        "medxray evaluate v",
        "medxray evaluate runs/v",
        "medxray predict scan.png --model vgg",
        "medxray train --resume runs/vgg",
        "medxray compare runs/lite0-full vgg",
        "medxray config show vgg",
    ],
)
def test_runs_are_completed_by_path_and_by_name(place, line):
    others = "file" if "config" in line else "dir"
    assert complete(line) == [(others, line.split(" ")[-1]), ("plain", "runs/vgg16-finetune")]


def test_all_runs_are_offered_where_nothing_is_typed_and_other_folders_are_none(place):
    assert [value for kind, value in complete("medxray evaluate ") if kind == "plain"] == [
        "runs/lite0-full",
        "runs/vgg16-finetune",
    ]


@pytest.mark.parametrize("line", ["medxray predict sc", "medxray train --data sc", "medxray data inspect sc"])
def test_files_are_left_to_the_shell(place, line):
    assert complete(line) == [("file", "sc")]


def test_names_of_weights_are_offered_beside_files(place):
    assert complete("medxray train --weights i") == [("file", "i"), ("plain", "imagenet")]


def test_completing_imports_nothing_heavy():
    code = (
        "import atexit, sys; sys.argv = ['medxray']\nfrom medxray.cli import main\n"
        "heavy = {'tensorflow', 'keras', 'pandas', 'numpy', 'sklearn', 'matplotlib', 'cv2', 'scipy'}\n"
        "atexit.register(lambda: print(sorted(heavy & set(sys.modules))))\nmain()"
    )
    environment = {"_MEDXRAY_COMPLETE": "bash_complete", "COMP_WORDS": "medxray evaluate runs/", "COMP_CWORD": "2"}
    words = [sys.executable, "-c", code]
    answer = subprocess.run(words, env=os.environ | environment, capture_output=True, text=True, check=True)
    assert answer.stdout.splitlines()[-1] == "[]"


def typed(words, begin, line, wanted):
    """Type a line and tabulators into a shell that believes to be on a terminal; what it shows until `wanted` comes."""
    pty = pytest.importorskip("pty", reason="only systems like Unix have terminals of this kind")
    import select

    leader, follower = pty.openpty()
    with subprocess.Popen(words, stdin=follower, stdout=follower, stderr=follower, start_new_session=True) as shell:
        os.close(follower)
        os.write(leader, f"{begin}\n".encode())
        shown, end = b"", time.monotonic() + 60
        ready = b"shell-is-ready\r\n"
        asked = False
        while time.monotonic() < end:
            if select.select([leader], [], [], 0.5)[0]:
                shown += os.read(leader, 4096)
            if not asked and ready in shown:
                asked, shown = True, b""
                os.write(leader, f"{line}\t".encode())
            if asked and wanted.encode() in shown:
                break
        shell.kill()
    os.close(leader)
    return shown.decode(errors="replace")


BEGIN = 'PS1="> "; eval "$(_MEDXRAY_COMPLETE={shell}_source medxray)"; echo shell-is"-ready"'
CASES = [
    ("medxray tra", "train"),
    ("medxray train --arch vgg1", "vgg16"),
    ("medxray evaluate vgg", "runs/vgg16-finetune"),
    ("medxray predict scan.", "png"),
]


@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_bash_completes(place, line, wanted):
    if shutil.which("bash") is None:
        pytest.skip("bash is not installed here")
    tabs = "\t" if line.endswith("vgg1") else ""  # it lists several names at the second one
    assert wanted in typed(["bash", "--norc", "--noprofile", "-i"], BEGIN.format(shell="bash"), line + tabs, wanted)


@pytest.mark.parametrize(("line", "wanted"), CASES)
def test_zsh_completes(place, line, wanted):
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed here")
    begin = f"autoload -U compinit; compinit -u -D; {BEGIN.format(shell='zsh')}"
    assert wanted in typed(["zsh", "-f", "-i"], begin, line, wanted)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("medxray tra", "train"),
        ("medxray train --arch vgg1", "vgg16"),
        ("medxray evaluate vgg", "runs/vgg16-finetune"),
        ("medxray predict scan.", "scan.png"),
    ],
)
def test_fish_completes(place, line, value):
    if shutil.which("fish") is None:
        pytest.skip("fish is not installed here")
    code = f"_MEDXRAY_COMPLETE=fish_source medxray | source; complete -C {shlex.quote(line)}"
    answer = subprocess.run(["fish", "--no-config", "-c", code], capture_output=True, text=True, check=True)
    assert value in [found.split("\t")[0] for found in answer.stdout.splitlines()]
