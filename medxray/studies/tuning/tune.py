"""The search for options of a classifier's training, from its options to what it has found."""

from medxray.studies.tuning.choices import CLUSTERS
from medxray.studies.tuning.search import begin_search, open_search, run_search
from medxray.studies.tuning.trial import TrainingTrials, write_split
from medxray.training.config import config_from_dict


def begin(config, space, *, objective="auroc", judge_on="clean", trials=20, pruning=True):
    """Search for options of training, or go on where the same call was begun under the same name.

    Args:
        config: TrainConfig, the options that all trials share. Its `name` and `runs_dir` are those of the search.
        space: tuple of space.Dimension, see `space.search_space`.
        objective: "auroc" or "nll" of validation images.
        judge_on: "clean", "shifted" or "clusters", see `choices.JUDGED_ON`.
        trials: how many there are to be in all; those that were interrupted are made up for.
        pruning: whether trials that do worse than the median of the others are ended early.

    Returns:
        outcome.Outcome.

    Raises:
        ConfigError: the search of that name was begun with other options.
        RunError: something else is in its place, its images have changed, or no trial has a value.
        MedxrayError: as for `api.train`, where every trial would meet it.
    """

    def split(config, file):
        return write_split(config, file, leave_out=judge_on == CLUSTERS)

    facts = {"objective": objective, "judge_on": judge_on, "trials": trials, "pruning": pruning, "split": split}
    directory = begin_search(config, space, **facts)
    return _run(directory, config)


def go_on(path, *, trials=None):
    """Go on with a search in its directory.

    Args:
        path: the directory.
        trials: another number of trials in all; None: as on record.

    Returns:
        outcome.Outcome; errors as for `begin`.
    """
    directory = open_search(path, trials=trials)
    record = directory.read_record()
    return _run(directory, config_from_dict(record["config"], source=str(directory.record_file)))


def _run(directory, config):
    return run_search(directory, lambda record: TrainingTrials(directory, config, record), seed=config.seed)
