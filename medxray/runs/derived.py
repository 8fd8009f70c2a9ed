"""A run made of another one: the same model with something else on its record. No TensorFlow."""

import contextlib
import shutil
from pathlib import Path

from medxray.errors import RunError
from medxray.runs.directory import RunDir, checked_name, command_line, free_name, now
from medxray.runs.environment import environment
from medxray.system import storage

ORIGIN = "origin"  # entry of run.json: the run that this one was made of
_SAME = ("model_file", "split_file", "content_file", "gate_file", "history_file", "history_plot", "embeddings_file")


def place_of(runs_dir, name, *, stem):
    """Where a run that is made of another one is to lie.

    Args:
        runs_dir: folder of runs.
        name: of the run; None: `stem`, or `stem-2`, `stem-3`...
        stem: the usual name.

    Returns:
        pathlib.Path, where nothing is.

    Raises:
        ConfigError: the name is no plain folder name.
        RunError: there is something of that name.
        StorageError: the folder cannot be written.
    """
    runs_dir = Path(runs_dir)
    storage.check_place(runs_dir)
    if name is None:
        return free_name(runs_dir, stem)
    path = runs_dir / checked_name(name)
    if path.exists():
        raise RunError(f"{path} exists already. Choose another --name.")
    return path


@contextlib.contextmanager
def derived_run(origin, path, **changes):
    """Make a run of another one; it is there when the block ends, or not at all.

    Args:
        origin: RunDir, which stays as it is.
        path: of the new run, see `place_of`.
        **changes: top-level entries of run.json, in place of those of the origin; None removes one.

    Yields:
        RunDir to write into, with model, split, gate and history of the origin; it is moved to `path` at the end.

    Raises:
        StorageError: disk full or no permission.
    """
    path = Path(path)
    staged = RunDir(path.with_name(f".making-{path.name}"))
    shutil.rmtree(staged.path, ignore_errors=True)
    try:
        for name in _SAME:
            source, target = getattr(origin, name), getattr(staged, name)
            if source.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        storage.write_json(staged.record_file, _record(origin, path.name, changes))
        yield staged
        staged.path.rename(path)
    except OSError as error:
        raise storage.storage_error(path, error) from error
    finally:
        shutil.rmtree(staged.path, ignore_errors=True)


def _record(origin, name, changes):
    record = origin.read_record()
    own = {"name": name, "command": command_line(), "created": now(), "environment": environment()}
    own |= {"config": record["config"] | {"name": name}}
    own[ORIGIN] = {
        "run": origin.name,
        "path": str(origin.path.resolve()),
        "created": record.get("created"),
        "decision": record.get("decision"),
        "model_sha256": storage.file_sha256(origin.model_file),
    }
    return {key: value for key, value in (record | own | changes).items() if value is not None}
