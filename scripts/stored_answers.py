"""Where scripts keep the answers of a run, so that it is asked once."""

from pathlib import Path


def answers_file(run, store, *parts):
    """A file in `store` for answers of a run, pathlib.Path.

    It is named after the run and the content of its predictions.csv: another run of the same name, or the same one
    trained anew, has another file.

    Args:
        run: RunDir.
        store: folder; it is created.
        parts: what else the answers depend on.
    """
    from medxray.system.storage import file_sha256

    folder = Path(store)
    folder.mkdir(parents=True, exist_ok=True)
    words = (run.path.name, *map(str, parts), file_sha256(run.predictions_file)[:12])
    return folder / f"{'-'.join(words)}.npz"
