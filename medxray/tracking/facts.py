"""What is told of a run: its options and the figures of its splits. No TensorFlow."""

from medxray.evaluation.model_card import FIGURES

_PLACES = {"overwrite", "export", "runs_dir", "saved_models_dir", "cache_dir", "tensorboard", "mlflow", "name"}


def options_told(config):
    """The options that say what is trained and how: dict name -> bool, int, float or str; those without a value not."""
    return {name: value for name, value in config.to_dict().items() if name not in _PLACES and value is not None}


def epoch_figures(stage, values):
    """The numbers of an epoch, see `listeners.EpochListener`: dict "<stage>/<name>" -> float."""
    return {f"{stage.name}/{name}": float(value) for name, value in values.items() if not isinstance(value, str)}


def final_figures(reports):
    """The figures of every split: dict "<split>/<figure>" -> float; those that are not defined not.

    Args:
        reports: dict split -> JSON object as in docs/evaluation.md.
    """
    figures = {f"{split}/{name}": report[name]["value"] for split, report in reports.items() for name, _ in FIGURES}
    return {name: float(value) for name, value in figures.items() if value is not None}
