"""Checks the code: ruff's rules and format, the contracts on imports in setup.cfg, and the project's own rules.

Usage: python scripts/lint.py      (installs the checkers into .venv)
"""

import sys
from pathlib import Path

from install import PROJECT, VENV, call, install, program
from own_rules import broken_rules

COMMANDS = (("ruff", "check", "."), ("ruff", "format", "--check", "."), ("lint-imports", "--no-cache"))


def lint(venv=VENV):
    """Run all checks; ends the program at the first that fails."""
    for name, *words in COMMANDS:
        call(program(name, venv), *words)
    found = broken_rules(PROJECT / "medxray")
    if found:
        sys.exit("\n".join(found))
    print(f"{Path(__file__).name}: every check passed.")


if __name__ == "__main__":
    install("lint")
    lint()
