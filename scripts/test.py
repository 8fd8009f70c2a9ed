"""Installs what the tests need, checks the code (see lint.py) and runs the tests in two processes.

Usage: python scripts/test.py [--lowest] [ARGUMENT OF PYTEST ...]      for example: python scripts/test.py -m slow

With --lowest the environment is .venv-lowest, with the versions of lowest.txt, the lowest that setup.cfg allows.
"""

import sys

from install import PROJECT, VENV, call, install, program
from lint import lint

LOWEST = PROJECT / ".venv-lowest"


def main(words):
    """Run the tests; `words` are those of the command line."""
    lowest = "--lowest" in words
    venv = LOWEST if lowest else VENV
    install("test", "offline-weights", venv=venv, constraints=PROJECT / "scripts" / "lowest.txt" if lowest else None)
    if not lowest:
        lint()
    pytest = [program("python", venv), "-m", "pytest", "--numprocesses", "2", "--dist", "loadfile"]
    call(*pytest, *(word for word in words if word != "--lowest"))


if __name__ == "__main__":
    main(sys.argv[1:])
