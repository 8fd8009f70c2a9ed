"""Which folders hold runs, studies and searches for options, by the record that lies in them. Imports nothing heavy."""

import os

RUN_RECORD, STUDY_RECORD, TUNING_RECORD = "run.json", "study.json", "tuning.json"
LATEST = "latest"  # beside the runs: a link to the newest, or a file with its name
_RECORDS = (RUN_RECORD, STUDY_RECORD, TUNING_RECORD)


def names_in(folder):
    """Names of the runs, studies and searches in a folder, and of `latest`: sorted list of str.

    It is empty where there is no such folder, or it cannot be read.
    """
    try:
        names = os.listdir(folder)
    except OSError:
        return []
    return sorted(name for name in names if name == LATEST or _has_record(os.path.join(folder, name)))


def _has_record(path):
    return any(os.path.isfile(os.path.join(path, record)) for record in _RECORDS)
