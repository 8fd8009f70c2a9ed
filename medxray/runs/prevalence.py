"""The prevalence that the probabilities of a run are for. No TensorFlow."""

from collections import Counter

from medxray.runs.truth import listed_files

ADAPTATION = "adaptation"  # entry of run.json: how the decision was adapted to another place


def stored_prevalence(run):
    """Share of each class among the images that the decision of a run was fitted for.

    They are the validation images; those of another place, at its prevalence, where the run was adapted to it.

    Args:
        run: a run as `medxray.load_run` returns it.

    Returns:
        dict class -> share, 0-1, in the order of the classes; None where the run has no validation images of a class.
    """
    adapted = run.record.get(ADAPTATION)
    if adapted is not None:
        return {name: float(adapted["prevalence"][name]) for name in run.classes}
    counts = Counter(row.label for row in listed_files(run) if row.split == "val")
    if not all(counts[name] for name in run.classes):
        return None
    return {name: counts[name] / counts.total() for name in run.classes}
