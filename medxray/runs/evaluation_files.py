"""The names of the files of an evaluation, and of what explains it. No TensorFlow."""

from pathlib import Path


class ExplanationFiles:
    """The files of a check of explanation methods in its folder.

    Args:
        path: the folder.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.report_file = self.path / "explanations.json"
        self.faithfulness_plot = self.path / "faithfulness.png"
        self.randomisation_plot = self.path / "randomisation.png"


class CohortFiles:
    """The files of mean heatmaps in their folder.

    Args:
        path: the folder.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.report_file = self.path / "cohort.json"
        self.maps_file = self.path / "cohort.npz"
        self.plot = self.path / "cohort.png"


class ShortcutAuditFiles:
    """The files of a shortcut audit in its folder.

    Args:
        path: the folder.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.report_file = self.path / "audit.json"
        self.changes_plot = self.path / "changes.png"
        self.examples_plot = self.path / "examples.png"
        self.lungs_plot = self.path / "lungs.png"


class EvaluationFiles:
    """The files of an evaluation in its folder.

    Args:
        path: the folder.
    """

    def __init__(self, path):
        self.path = Path(path)
        self.metrics_file = self.path / "metrics.json"
        self.predictions_file = self.path / "predictions.csv"
        self.plots = self.path / "plots"
        self.explanations = ExplanationFiles(self.path / "explanations")
        self.cohort = CohortFiles(self.path / "cohort")
        self.shortcut_audit = ShortcutAuditFiles(self.path / "audit")
