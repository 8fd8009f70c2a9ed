"""What this machine is: processor, cores, memory and GPUs. What the system does not tell is None. No TensorFlow."""

import os
import platform
import shutil
import subprocess
from pathlib import Path

# What TensorFlow and oneDNN choose their code by, and the flags of it in /proc/cpuinfo.
FEATURES = {"avx2": "avx2", "avx512": "avx512f", "avx512_bf16": "avx512_bf16", "amx": "amx_tile"}
_CPU, _MEMORY, _GROUPS, _OWN_GROUP = (
    Path(place) for place in ("/proc/cpuinfo", "/proc/meminfo", "/sys/fs/cgroup", "/proc/self/cgroup")
)
_SECONDS = 30  # that another program may take to answer


def cpu():
    """Name, number of cores, how many of them this process may use, and features: dict of JSON values.

    `usable_cores` is a float: a container may have one and a half.
    """
    facts = _fields(_CPU)
    flags = set(facts["flags"].split()) if "flags" in facts else _flags_of(platform.machine())
    return {
        "name": facts.get("model name") or _answer("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor(),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(),
        "features": {name: None if flags is None else flag in flags for name, flag in FEATURES.items()},
    }


def _flags_of(machine):
    """The flags of a processor without a list of them: none of those of Intel where it is another one."""
    return None if machine.lower() in ("x86_64", "amd64", "") else set()


def usable_cores():
    """Cores that this process may use, by affinity and by the share that its container has: float."""
    own = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    shares = [_share(folder) for folder in _groups("cpu")]
    return float(min([own, *(share for share in shares if share)]))


def _share(folder):
    """Cores that a control group gives; None where it sets no limit."""
    quota, period = (_read(folder / "cpu.max") or "").split() or (None, None)
    quota = quota or _read(folder / "cpu.cfs_quota_us")
    period = period or _read(folder / "cpu.cfs_period_us")
    return int(quota) / int(period) if quota and period and quota.isdigit() and int(period) else None


def memory():
    """Bytes of memory that this process may have and that are free for it: dict with `total` and `available`."""
    facts = {name: int(text.split()[0]) << 10 for name, text in _fields(_MEMORY).items() if text.endswith("kB")}
    total, available = facts.get("MemTotal"), facts.get("MemAvailable")
    if total is None:
        answer = _answer("sysctl", "-n", "hw.memsize")
        total = int(answer) if answer and answer.isdigit() else None
    for folder in _groups("memory"):
        limit = _number(folder, "memory.max", "memory.limit_in_bytes")
        if total is None or limit is None or limit >= total:
            continue
        used = _number(folder, "memory.current", "memory.usage_in_bytes") or 0
        cached = int(dict(line.split() for line in (_read(folder / "memory.stat") or "").splitlines()).get("file", 0))
        total, available = limit, min(available or limit, max(limit - used + cached, 0))
    return {"total": total, "available": available}


def gpus():
    """Names of the NVIDIA GPUs that the driver shows, list of str."""
    return (_answer("nvidia-smi", "--query-gpu=name", "--format=csv,noheader") or "").splitlines()


def _groups(controller):
    """Folders of the control groups that this process is in, the innermost first; of version 2, else of version 1."""
    for line in (_read(_OWN_GROUP) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(",") or not controllers:
            root = _GROUPS / controller if controllers else _GROUPS
            inner = root / path.strip("/")
            for folder in (inner, *inner.parents):
                if folder == root or root in folder.parents:
                    yield folder


def _number(folder, *names):
    """The number in the first of some files that there is; None for "max", and where there is none."""
    text = next((text for text in (_read(folder / name) for name in names) if text), "")
    return int(text) if text.isdigit() else None


def _fields(file):
    """The lines `name : value` of a file as a dict; of several with one name the first."""
    lines = (line.partition(":") for line in reversed((_read(file) or "").splitlines()))
    return {name.strip(): value.strip() for name, _, value in lines}


def _read(file):
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _answer(program, *words):
    """What another program prints; None where there is no such program, or it fails."""
    if shutil.which(program) is None:
        return None
    try:
        answer = subprocess.run([program, *words], capture_output=True, text=True, timeout=_SECONDS)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return answer.stdout.strip() if answer.returncode == 0 else None
