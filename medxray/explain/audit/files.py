"""The report of a shortcut audit as a file, and its pictures."""

from medxray.explain.mapped_sample import image_parts
from medxray.plots import style
from medxray.plots.audit import ChangesDisplay
from medxray.plots.audit_images import ExamplesDisplay, LungsDisplay
from medxray.system import storage


def write_report(report, files, mapped, answers):
    """Write a report and draw it.

    Args:
        report: dict of JSON values, see `audit.write_audit`.
        files: runs.directory.ShortcutAuditFiles.
        mapped: mapped_sample.MappedSample.
        answers: dict as of `answers.ChangedImages.answers`.

    Raises:
        StorageError: the folder cannot be written.
    """
    storage.write_json(files.report_file, report)
    style.save(ChangesDisplay(report).plot(), files.changes_plot)
    versions = {key: answered.examples for key, answered in answers.items()}
    names = [file.name for file in mapped.sample.files]
    style.save(ExamplesDisplay(report, mapped.sample.pixels, versions, names).plot(), files.examples_plot)
    lungs = LungsDisplay(report, image_parts(mapped.sample), mapped.lungs, mapped.reasons)
    style.save(lungs.plot(), files.lungs_plot)
