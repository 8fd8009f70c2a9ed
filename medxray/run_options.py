"""The options of a run, a study or a search, or of a file for `--config`, as TOML. No TensorFlow."""

from pathlib import Path

from medxray.anomaly.config import AnomalyConfig
from medxray.ensemble.config import EnsembleConfig
from medxray.errors import ConfigError, RunError
from medxray.runs.directory import open_run
from medxray.runs.names import LATEST
from medxray.runs.study_directory import StudyDir, is_study
from medxray.runs.tuning_directory import TuningDir, is_tuning
from medxray.training.config import TrainConfig, config_from_dict, read_toml
from medxray.training.config_text import config_lines
from medxray.training.options import options_of

_KINDS = {kind.TYPE: kind for kind in (TrainConfig, AnomalyConfig, EnsembleConfig)}
_FOR_FILES = (TrainConfig, AnomalyConfig)  # whose commands have --config
_OF_RUN = ("name", "overwrite")  # which another run does not share
_STUDIES = {"seeds": "--seeds", "folds": "--kfold"}


def options_text(source):
    """The options as text of TOML, with the command that takes them in its first line.

    Args:
        source: path of a run, study or search, or of a TOML file.

    Raises:
        ConfigError: a file is no TOML, or its options are unknown or impossible.
        RunError: there is no such run, it is damaged, or its command has no `--config`.
    """
    path = Path(source)
    if path.is_file() and path.name not in ("model.keras", LATEST):
        config = _read(path).resolved()
        return _text(config, config.to_dict(), f"{config.COMMAND} --config FILE")
    if is_tuning(path):
        return _of_record(path, TuningDir(path).read_record(), "tune --config FILE")
    if is_study(path):
        record = StudyDir(path).read_record()
        return _of_record(
            path, record, f"train --config FILE {_STUDIES.get(record['what'], '--seeds')} {record['runs']}"
        )
    return _of_record(path, open_run(path).read_record())


def _read(path):
    """The configuration in a file: of the command that knows most of its options."""
    values = read_toml(path)
    kind = min(_FOR_FILES, key=lambda kind: len(set(values) - set(options_of(kind))))
    return config_from_dict(values, source=str(path), kind=kind)


def _of_record(path, record, command=None):
    kind = _KINDS.get(record.get("type", TrainConfig.TYPE))
    if kind not in _FOR_FILES:
        made = " ".join(record.get("command", []))
        raise RunError(
            f"{path} is of the kind '{record.get('type')}', whose command has no --config. It was made by: {made}"
        )
    try:
        config = config_from_dict(record["config"], source=str(path), kind=kind)
    except ConfigError as error:
        raise RunError(f"The options of {path} cannot be used by this version of medxray: {error}") from error
    values = {name: value for name, value in config.to_dict().items() if name not in _OF_RUN}
    return _text(config, values, command or f"{config.COMMAND} --config FILE")


def _text(config, values, command):
    return "\n".join([f"# medxray {command}", *config_lines(values, type(config))]) + "\n"
