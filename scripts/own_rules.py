"""The project's own rules on code, which no linter has: what runs on Linux alone, and imports by name."""

import ast
from pathlib import Path

# Modules and functions that Windows does not have. `os.open` is there, but opens no folder.
POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}
POSIX_NAMES = {
    "os": {"chown", "fork", "forkpty", "getuid", "killpg", "mkfifo", "open", "setsid", "sysconf", "uname", "wait"},
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1", "SIGUSR2", "alarm", "setitimer"},
}
PORTABLE_ROOM = "system"  # the room that may use them, with another way where they are missing
IMPORT_BY_NAME = {"__init__.py", "moved.py"}  # below medxray/


def broken_rules(package):
    """Check every module of a package.

    Args:
        package: pathlib.Path, its folder.

    Returns:
        list of str: "file:line: what is wrong", sorted.
    """
    found = []
    for file in sorted(package.rglob("*.py")):
        tree, place = ast.parse(file.read_bytes(), str(file)), file.relative_to(package)
        if place.parts[0] != PORTABLE_ROOM:
            found += [(file, *problem) for problem in posix_only(tree)]
        if place.as_posix() not in IMPORT_BY_NAME:
            found += [(file, *problem) for problem in imports_by_name(tree)]
    return [f"{Path(file).relative_to(package.parent).as_posix()}:{line}: {text}" for file, line, text in found]


def posix_only(tree):
    """What of a syntax tree Windows does not have: (line, text) of each."""
    for node, name in _names(tree):
        module, _, member = name.partition(".")
        if module in POSIX_MODULES or member.partition(".")[0] in POSIX_NAMES.get(module, ()):
            yield node.lineno, f"{name} is not on every system; put it into medxray/{PORTABLE_ROOM} with another way."


def imports_by_name(tree):
    """Calls of a syntax tree that import a module by its name: (line, text) of each."""
    for node, name in _names(tree):
        if name in ("importlib.import_module", "__import__"):
            yield node.lineno, f"{name} hides an import; only {', '.join(sorted(IMPORT_BY_NAME))} may use it."


def _names(tree):
    """Imported modules and names, and attributes of plain names as "module.member": (node, dotted name) of each."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield node, f"{node.value.id}.{node.attr}"
        elif isinstance(node, ast.Name) and node.id == "__import__":
            yield node, node.id
