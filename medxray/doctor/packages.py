"""The packages that medxray needs: which are there, in which versions, and whether they can be imported."""

import importlib.metadata
import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass

from packaging.requirements import Requirement

from medxray.system import progress

MODULES = {  # distribution -> what is imported of it
    "numpy": "numpy",
    "scipy": "scipy",
    "h5py": "h5py",
    "threadpoolctl": "threadpoolctl",
    "scikit-learn": "sklearn",
    "matplotlib": "matplotlib",
    "opencv-python-headless": "cv2",
    "pandas": "pandas",
    "click": "click",
    "markdown-it-py": "markdown_it",
    "pydicom": "pydicom",
    "pylibjpeg": "pylibjpeg",
    "filelock": "filelock",
    "packaging": "packaging",
    "pillow": "PIL",
    "tensorflow": "tensorflow",  # the last three take seconds
    "keras": "keras",
    "tf-keras-vis": "tf_keras_vis",
}
_FIRST = """
import json, os
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
say = lambda **facts: print(json.dumps(facts), flush=True)
"""
_IMPORT = """
try:
    import {module}
    say(error="")
except Exception as error:
    say(error=f"{{type(error).__name__}}: {{error}}".splitlines()[0][:200])
"""
_GPUS = """
details = tensorflow.config.experimental.get_device_details
say(gpus=[details(gpu).get("device_name", "GPU") for gpu in tensorflow.config.list_physical_devices("GPU")])
"""


@dataclass(frozen=True)
class Package:
    """A package that medxray needs.

    Attributes:
        name: of the distribution.
        version: what is installed; None where it is not.
        needed: range of versions, such as "<2.5,>=2.0.2"; None where it is not known.
        problem: what is wrong with it and what to do, or "".
    """

    name: str
    version: str | None
    needed: str | None
    problem: str


def look(modules=MODULES):
    """Look at each package; they are imported in a process of its own, which may crash.

    Args:
        modules: dict distribution -> module.

    Returns:
        (list of Package, list of the names of the GPUs that TensorFlow uses).
    """
    errors, gpus = _import_all(list(modules.values()))
    ranges = needed()
    return [_package(name, ranges.get(name), errors[module]) for name, module in modules.items()], gpus


def needed():
    """The ranges of versions that medxray needs, dict distribution -> packaging SpecifierSet.

    It is empty where medxray is not installed but runs from a folder.
    """
    try:
        lines = importlib.metadata.requires("medxray") or ()
    except importlib.metadata.PackageNotFoundError:
        return {}
    requirements = (Requirement(line) for line in lines)
    return {
        one.name.lower(): one.specifier for one in requirements if not one.marker or one.marker.evaluate({"extra": ""})
    }


def version_of(package):
    """The version of an installed package; None where it is not installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _package(name, wanted, error):
    version, install = version_of(name), f"pip install '{name}{wanted or ''}'"
    if error and version is None:
        problem = f"{name} is not installed: {install}"
    elif error:
        problem = f"{name} {version} cannot be imported ({error}): pip install --force-reinstall '{name}{wanted or ''}'"
    elif wanted is not None and version is not None and not wanted.contains(version, prereleases=True):
        problem = f"{name} must be {wanted}, {version} is installed: {install}"
    else:
        problem = ""
    return Package(name, version, None if wanted is None else str(wanted), problem)


def _import_all(modules):
    """(dict module -> why it cannot be imported, or ""; names of the GPUs that TensorFlow uses)."""
    found, gpus, status = _import(modules)
    left = modules[len(found) :]
    if not left:
        return found, gpus
    others, gpus = _import_all(left[1:])
    return found | {left[0]: _ending(status)} | others, gpus


def _import(modules):
    """The same of modules up to the one that ends the process, and the exit status of that."""
    code = _FIRST + "".join(_IMPORT.format(module=module) for module in modules)
    code += _GPUS if "tensorflow" in modules else ""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    found, gpus = {}, []
    with subprocess.Popen([sys.executable, "-c", code], env=environment, **pipes) as process:
        for line in progress.each(process.stdout, len(modules), "Packages"):
            facts = json.loads(line)
            if "gpus" in facts:
                gpus = facts["gpus"]
            else:
                found[modules[len(found)]] = facts["error"]
    return found, gpus, process.returncode


def _ending(status):
    """Why a process that imports has ended before its time."""
    how = f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
    return f"Python ends with {how}; it may be built for another processor"
