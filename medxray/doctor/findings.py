"""All that `medxray doctor` finds."""

import dataclasses
import os
import platform
import shutil
import tempfile
from pathlib import Path

from medxray.doctor import packages
from medxray.doctor.extras import EXTRAS
from medxray.models.availability import DAMAGED, availability
from medxray.models.pretrained import keras_cache
from medxray.system import machine, storage
from medxray.training.cache_folder import default_cache_dir, list_entries
from medxray.version import __version__

_LITTLE = 2_000_000_000  # bytes of disk or memory


def findings():
    """Look at packages, machine, caches, weights and disk.

    Returns:
        dict of JSON values, which docs/commandline.md describes.
    """
    needed, used = packages.look()
    found = {
        "medxray": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "packages": [dataclasses.asdict(package) for package in needed],
        "extras": [_extra(extra) for extra in EXTRAS],
        "cpu": machine.cpu(),
        "gpu": {"seen": machine.gpus(), "used": used},
        "memory": machine.memory(),
        "disk": _disks(),
        "caches": _caches(),
        "weights": [dataclasses.asdict(source) for source in availability()],
    }
    problems = [package.problem for package in needed if package.problem]
    return {"usable": not problems, "problems": problems, "notes": _notes(found)} | found


def _extra(extra):
    installed = all(packages.version_of(package) for package in extra.packages)
    return {"name": extra.name, "installed": installed, "enables": extra.enables, "install": extra.command}


def _disks():
    places = {"runs and models": Path.cwd(), "cache": default_cache_dir(), "temporary files": tempfile.gettempdir()}
    return [{"for": name, "path": str(place), "free": _free(place)} for name, place in places.items()]


def _free(place):
    return shutil.disk_usage(storage.existing_folder(place)).free


def _caches():
    activations, weights = default_cache_dir(), keras_cache()
    entries = list_entries(activations)
    files = [file for file in weights.rglob("*") if file.is_file()] if weights.is_dir() else []
    return [
        _cache("activations of frozen layers", activations, entries, sum(entry["bytes"] for entry in entries)),
        _cache("downloaded weights", weights, files, sum(file.stat().st_size for file in files)),
    ]


def _cache(what, folder, items, size):
    place = storage.existing_folder(folder)
    return {
        "what": what,
        "path": str(folder),
        "items": len(items),
        "bytes": size,
        "writable": os.access(place, os.W_OK | os.X_OK),
    }


def _notes(found):
    """What does not hinder medxray, but a user may want to know."""
    notes = [] if packages.needed() else [_NOT_INSTALLED]
    if found["gpu"]["seen"] and not found["gpu"]["used"]:
        notes.append(f"TensorFlow does not use the GPU ({', '.join(found['gpu']['seen'])}). {_gpu_remedy()}")
    notes += [
        f"Little disk space for {disk['for']}: {storage.size_text(disk['free'])} in {disk['path']}. Free some, or see "
        "medxray cache clear."
        for disk in found["disk"]
        if disk["free"] < _LITTLE
    ]
    free = found["memory"]["available"]
    if free is not None and free < _LITTLE:
        notes.append(f"Little memory is free: {storage.size_text(free)}. Close other programs, or use small batches.")
    notes += [
        f"{cache['path']} ({cache['what']}) cannot be written. Change its permissions."
        for cache in found["caches"]
        if not cache["writable"]
    ]
    return notes + [
        f"The {source['weights']} weights of {source['arch']} are damaged: {source['note']}"
        for source in found["weights"]
        if source["state"] == DAMAGED
    ]


_NOT_INSTALLED = (
    "medxray runs from a folder and is not installed, so versions are not compared with those it needs. Install it: "
    "pip install ."
)


def _gpu_remedy():
    if platform.system() == "Windows":
        return "On Windows it does so in WSL2 alone."
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    if hidden is not None:
        return f"CUDA_VISIBLE_DEVICES is '{hidden}'."
    return "Install what it needs: pip install 'medxray[gpu]'"
