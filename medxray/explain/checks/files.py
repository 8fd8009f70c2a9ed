"""The report of a check as a file, and its plots. No TensorFlow."""

from medxray.plots import style
from medxray.plots.explanations import FaithfulnessDisplay, RandomisationDisplay
from medxray.system import storage


def write_report(report, files):
    """Write a report and draw it.

    Args:
        report: dict of JSON values, see `evaluate.write_checks`.
        files: runs.directory.ExplanationFiles.

    Returns:
        the report.

    Raises:
        StorageError: the folder cannot be written.
    """
    storage.write_json(files.report_file, report)
    style.save(FaithfulnessDisplay(report).plot(), files.faithfulness_plot)
    style.save(RandomisationDisplay(report).plot(), files.randomisation_plot)
    return report
