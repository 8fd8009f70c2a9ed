"""The labelled images that the decision of a run was adapted to: a table in the run. No TensorFlow."""

import pandas as pd

from medxray.errors import RunError
from medxray.system.storage import write_csv

COLUMNS = ("path", "patient_id", "label", "sha256")


def write_sample(directory, manifest):
    """Write the images of a manifest as the sample of a run (RunDir), with absolute paths."""
    table = manifest.table[["patient_id", "label"]].assign(
        path=[file.as_posix() for file in manifest.files()], sha256=list(manifest.content_digests())
    )
    write_csv(directory.adaptation_file, table[list(COLUMNS)])


def read_sample(directory):
    """The sample that the decision of a run (RunDir) was adapted to, with the columns COLUMNS, all text.

    Returns:
        pandas.DataFrame; without rows where the run was not adapted.

    Raises:
        RunError: the table is damaged.
    """
    if not directory.adaptation_file.exists():
        return pd.DataFrame(columns=list(COLUMNS), dtype=str)
    try:
        return pd.read_csv(directory.adaptation_file, dtype=str, keep_default_na=False)[list(COLUMNS)]
    except (OSError, ValueError, KeyError) as error:
        raise RunError(
            f"{directory.adaptation_file} cannot be read, so images that the run was adapted to cannot be told from "
            "new ones. Restore it, or adapt the run again."
        ) from error
