"""The folder of cached activations: where it is, what is in it, how large it may be, and clearing it. No TensorFlow."""

import contextlib
import os
import shutil
import time
from pathlib import Path

from medxray.errors import ConfigError
from medxray.system import storage
from medxray.training.prefix_cache import FORMAT, RECORD, EntryLock

_DAY = 86400  # seconds


def default_cache_dir():
    """`$MEDXRAY_CACHE_DIR`, else `$XDG_CACHE_HOME/medxray`, else `~/.cache/medxray`."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("MEDXRAY_CACHE_DIR") or Path(base) / "medxray")


def cache_folder(config):
    """The folder of the cache of a run, pathlib.Path."""
    return Path(config.cache_dir) if config.cache_dir else default_cache_dir()


def list_entries(cache_dir):
    """Describe every entry.

    Returns:
        list of dicts with name, label, rows, bytes, used (seconds since the epoch, the last time) and old (whether it
        is of an earlier format, which nothing reads any more), the last used first.
    """
    found = []
    for folder in sorted(Path(cache_dir).glob("*/")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            record = storage.read_json(folder / RECORD)
            size = sum(file.stat().st_size for file in folder.iterdir())
            rows, used = sum(chunk[0] for chunk in record["chunks"]), (folder / RECORD).stat().st_mtime
            facts = {"label": str(record["label"]), "rows": rows, "old": record.get("format") != FORMAT}
            found.append({"name": folder.name, "bytes": size, "used": used, **facts})
    return sorted(found, key=lambda entry: -entry["used"])


def clear(cache_dir, *, unused_days=0):
    """Remove entries that no run is using; other files stay.

    Args:
        cache_dir: folder of the cache.
        unused_days: leave those that a run has used within that many days.

    Returns:
        (number of entries, bytes) freed.
    """
    count = freed = 0
    for entry in list_entries(cache_dir):
        if unused_days and not entry["old"] and entry["used"] > time.time() - unused_days * _DAY:
            continue
        folder = Path(cache_dir) / entry["name"]
        lock = EntryLock(folder)
        if lock.try_to_own():
            shutil.rmtree(folder)
            count, freed = count + 1, freed + entry["bytes"]
        lock.release()
    return count, freed


def parse_size(text):
    """Read a size such as "20GB", "500 MB" or "1.5GiB" and return bytes.

    Raises:
        ConfigError: it is not a positive number with a unit.
    """
    units = {f"{letter}B": 1000**power for power, letter in enumerate("KMGT", 1)}
    units |= {f"{letter}IB": 1024**power for power, letter in enumerate("KMGT", 1)}
    cleaned = text.replace(" ", "").upper()
    number = cleaned.rstrip("KMGTIB")
    unit = cleaned[len(number) :]
    try:
        if unit in units and float(number) >= 0:
            return int(float(number) * units[unit])
    except (ValueError, OverflowError):
        pass
    raise ConfigError(f"--cache-budget must be a size such as 20GB or 500MB. Received '{text}'.")
