"""One configuration trained several times, with other seeds or on other folds, and reported together."""

import dataclasses
import logging
import os

from medxray import api
from medxray.errors import ConfigError, MedxrayError, RunError
from medxray.runs.directory import command_line
from medxray.runs.study_directory import create_study, remove_unless_begun
from medxray.studies import folds, seeds
from medxray.system import storage
from medxray.training.config import config_from_dict

log = logging.getLogger(__name__)
SEEDS, FOLDS = "seeds", "folds"
_KINDS = {SEEDS: seeds, FOLDS: folds}


def begin_study(config, what, count):
    """Train a configuration several times in one folder, and report the runs together.

    Args:
        config: TrainConfig.
        what: SEEDS (see `seeds`) or FOLDS (see `folds`).
        count: number of runs, 2 or more.

    Returns:
        (StudyDir, report).

    Raises:
        ConfigError: `count` is below 2, or the configuration contradicts itself.
        MedxrayError: as for `api.train`. The study can be resumed if an epoch was trained; else its folder is removed.
    """
    if count < 2:
        raise ConfigError(f"A study of {what} needs 2 or more. Received {count}.")
    config.resolved()  # refuses what contradicts itself
    if what == FOLDS:
        folds.check(config)
    study = create_study(config.anchored(), what=what, runs=count, command=command_line())
    log.info("Study %s: %d %s", study.path, count, what)
    try:
        return study, finish_study(study)
    except MedxrayError:
        remove_unless_begun(study)
        raise


def finish_study(study):
    """Train what is missing of a study, report all its runs together, and write the report.

    Args:
        study: StudyDir.

    Returns:
        dict of JSON values.

    Raises:
        RunError: the study is damaged, or a newer medxray has begun it.
        MedxrayError: as for `api.train`.
    """
    record, kind = study.read_record(), kind_of(study)
    config = config_from_dict(record["config"], source=str(study.record_file))
    if kind is folds and not study.split_file(record["runs"]).exists():
        folds.prepare(study, config)
    for number in range(1, record["runs"] + 1):
        _train(study, kind.member_config(study, config, number), number)
    found = storage.plain(kind.report(study))
    storage.write_json(study.report_file, found)
    return found


def kind_of(study):
    """The module that knows how the runs of a study differ: `seeds` or `folds`."""
    what = study.read_record().get("what")
    if what not in _KINDS:
        raise RunError(
            f"A study must be of {' or '.join(_KINDS)}. {study.path} is of {what!r}: a newer medxray wrote it."
        )
    return _KINDS[what]


def _train(study, config, number):
    """Train, resume, or leave as it is the run with a number."""
    member = study.member(number)
    if not member.record_file.exists():
        places = {"runs_dir": str(study.path), "saved_models_dir": os.path.join(config.saved_models_dir, study.name)}
        api.train(dataclasses.replace(config, name=str(number), **places))
    elif member.read_record()["state"] != "completed":
        api.resume(member.path)
