"""Creates .venv beside this folder and installs medxray into it; does nothing when that is up to date.

Usage: python scripts/install.py [EXTRA ...]      (with a Python of 3.11 to 3.13)
"""

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
VENV = PROJECT / ".venv"


def program(name, venv=VENV):
    """Path of a program of an environment, such as "python"; Windows keeps them in another folder."""
    return str(venv / "Scripts" / f"{name}.exe" if os.name == "nt" else venv / "bin" / name)


def call(*words, folder=PROJECT):
    """Run a program in a folder; end with its exit status when that is not 0."""
    sys.stdout.flush()
    status = subprocess.call(words, cwd=folder)
    if status:
        sys.exit(status)


def install(*extras, venv=VENV, constraints=None):
    """Install medxray with extras into an environment, which is created when missing.

    Args:
        *extras: str, extras of setup.cfg.
        venv: folder of the environment.
        constraints: file of versions for pip, or None.
    """
    if not (3, 11) <= sys.version_info < (3, 14):
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"medxray needs Python 3.11, 3.12 or 3.13; {found} was found. Choose another one.")
    if not Path(program("python", venv)).exists():
        call(sys.executable, "-m", "venv", str(venv))
    for extra in extras:
        _install_extra(extra, venv, constraints)


def _install_extra(extra, venv, constraints):
    """Install one extra unless setup.cfg and the constraints are those of the last time."""
    options = ["--constraint", str(constraints)] if constraints else []
    sources = [PROJECT / "setup.cfg", *([constraints] if constraints else [])]
    wanted = b"".join(source.read_bytes() for source in sources)
    stamp = venv / f".installed-{extra}"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return
    print(f"Installing medxray[{extra}] into {venv.name} ...", file=sys.stderr)
    pip = [program("python", venv), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    call(*pip, *options, "--editable", f".[{extra}]")
    stamp.write_bytes(wanted)


if __name__ == "__main__":
    install(*sys.argv[1:])
