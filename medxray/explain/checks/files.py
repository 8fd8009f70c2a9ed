"""The report of a check as a file, and its plots. No TensorFlow."""

from medxray.explain.checks.stored_verdicts import verdicts_in
from medxray.plots import style
from medxray.plots.explanations import FaithfulnessDisplay, RandomisationDisplay
from medxray.system import storage


def write_report(report, files, *, in_run):
    """Write a report and draw it.

    Verdicts of the file that is replaced, on methods that the new report does not have, become its `earlier`.

    Args:
        report: dict of JSON values, see `evaluate.write_checks`.
        files: runs.directory.ExplanationFiles.
        in_run: whether they lie in the run itself, so that an older file is of the same run and data.

    Returns:
        the report with `earlier`, a dict method -> dict as `stored_verdicts.verdicts_in` returns it.

    Raises:
        StorageError: the folder cannot be written.
    """
    before = verdicts_in(files.report_file) if in_run else {}
    report = report | {"earlier": {name: one for name, one in before.items() if name not in report["methods"]}}
    storage.write_json(files.report_file, report)
    style.save(FaithfulnessDisplay(report).plot(), files.faithfulness_plot)
    style.save(RandomisationDisplay(report).plot(), files.randomisation_plot)
    return report
