"""What `medxray doctor` found, as lines of text."""

from medxray.models.availability import DOWNLOAD, HERE, MISSING
from medxray.system.storage import size_text

_FEATURES = {"avx2": "AVX2", "avx512": "AVX512", "avx512_bf16": "AVX512-BF16", "amx": "AMX"}
_WORDS = {True: "yes", False: "no", None: "not known"}


def sections(found):
    """The findings as tables: dict title -> list of rows (lists of str).

    Args:
        found: what `findings.findings` returned.
    """
    return {
        f"medxray {found['medxray']}, Python {found['python']}, {found['platform']}": [],
        "Packages": [_package(package) for package in found["packages"]],
        "Extras": [_extra(extra) for extra in found["extras"]],
        "Processor": _processor(found["cpu"]),
        "GPU": _gpus(found["gpu"]),
        "Memory": [[_memory(found["memory"])]],
        "Free disk space": [[disk["for"], size_text(disk["free"]), disk["path"]] for disk in found["disk"]],
        "Caches": [
            [cache["what"], f"{cache['items']} items", size_text(cache["bytes"]), cache["path"]]
            for cache in found["caches"]
        ],
        "Weights (medxray weights list)": _weights(found["weights"]),
    }


def _package(package):
    wanted = "" if package["needed"] is None else f"({package['needed']})"
    return [package["name"], package["version"] or "-", package["problem"] or wanted]


def _extra(extra):
    return [extra["name"], "installed" if extra["installed"] else extra["install"], extra["enables"]]


def _processor(cpu):
    features = ", ".join(f"{_FEATURES[name]} {_WORDS[has]}" for name, has in cpu["features"].items())
    return [[f"{cpu['name'] or 'not known'}, {cpu['usable_cores']:g} of {cpu['cores']} cores usable"], [features]]


def _gpus(gpu):
    return [
        [f"seen: {', '.join(gpu['seen']) or 'none'}"],
        [f"used by TensorFlow: {', '.join(gpu['used']) or 'none'}"],
    ]


def _memory(memory):
    if memory["total"] is None:
        return "not known"
    free = "" if memory["available"] is None else f", {size_text(memory['available'])} free"
    return f"{size_text(memory['total'])}{free}"


def _weights(sources):
    """A row for each state: which weights are so."""
    rows = []
    for state in dict.fromkeys([HERE, DOWNLOAD, MISSING, *(source["state"] for source in sources)]):
        named = [f"{source['arch']} {source['weights']}" for source in sources if source["state"] == state]
        if named:
            rows.append([state, ", ".join(named)])
    return rows
