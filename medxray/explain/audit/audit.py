"""From a run to a report on how far its answers hang on shortcuts."""

import logging
import time
from dataclasses import dataclass

import numpy as np

from medxray.data.shifts.families import SEVERITIES
from medxray.evaluation.audit_note import note_audit
from medxray.evaluation.evaluate import part_of_data
from medxray.explain.audit.answers import MARKER, ChangedImages
from medxray.explain.audit.changes import change_figures
from medxray.explain.audit.files import write_report
from medxray.explain.audit.probes import probe_shortcuts
from medxray.explain.audit.regions import LUNGS, MEAN, OTHER_IMAGE, SHORTCUTS
from medxray.explain.audit.verdict import verdict_line
from medxray.explain.checks.sample import read_sample
from medxray.explain.explainer import ExplainRequest
from medxray.explain.mapped_sample import map_sample
from medxray.explain.methods import GRADCAM
from medxray.metrics.label_estimates import label_estimates
from medxray.metrics.map_concentration import UNIFORM_BORDER_SHARE, border_share, share_inside
from medxray.metrics.patient_means import mean_by_patient
from medxray.runs.evaluation_files import ShortcutAuditFiles
from medxray.system import storage

log = logging.getLogger(__name__)
IMAGES = 64
SEVERITY = 2  # of the pasted marker that the verdict counts
_EXAMPLES = 4


@dataclass(frozen=True)
class AuditRequest:
    """What is audited.

    Attributes:
        method: name of a row of `methods.METHODS`, of the heatmaps.
        images: how many images at most.
        seed: of the sample and of all random draws.
    """

    method: str = GRADCAM
    images: int = IMAGES
    seed: int = 0


def write_audit(run, data=None, *, split="test", request=None, out=None, exclude_known=False, **how):
    """Audit a run on its images, or on other data, and write what comes of it.

    Without `out`, an audit of the run's own split is also noted in run.json and in the model card.

    Args:
        run: trained_run.Run.
        data: folder or CSV, as for `evaluation.evaluate.write_evaluation`; None: the run's own split.
        split: "train", "val" or "test".
        request: AuditRequest; None: the default one.
        out: folder to write to; None: `audit` in the folder of this evaluation, see `runs.directory`.
        exclude_known: as for `write_evaluation`.
        **how: `label_map` and `columns`, as for `write_evaluation`.

    Returns:
        (dict of JSON values, see docs/explain.md; pathlib.Path of the folder it was written to).

    Raises:
        ConfigError: unknown method, one that the model cannot be explained by, or a run without heatmaps.
        DataError: the images cannot be used.
        StorageError: the folder cannot be written.
    """
    request = request or AuditRequest()
    ExplainRequest(method=request.method).check(run)
    storage.check_place(run.path if out is None else out)
    part, known, evaluation = part_of_data(run, data, split, exclude_known=exclude_known, **how)
    files = evaluation.shortcut_audit if out is None else ShortcutAuditFiles(out)
    begin = time.perf_counter()
    sample = read_sample(run, part, images=request.images, seed=request.seed)
    log.info("%d of %d images.", len(sample), len(part))
    mapped = map_sample(run, sample, request.method)
    report, answers = audit_images(run, mapped, request)
    shortcuts = probe_shortcuts(run, part, split, is_own=known is None, seed=request.seed)
    where = {"split": split, "data": None if known is None else str(data), "available": len(part)}
    report = where | report | {"shortcuts": shortcuts}
    report |= {"verdict": verdict_line(report), "seconds": round(time.perf_counter() - begin, 1)}
    report = storage.plain(report)
    write_report(report, files, mapped, answers)
    if known is None and out is None:
        note_audit(run.directory, split, report)
    return report, files.path


def audit_images(run, mapped, request):
    """What the images of a sample say.

    Args:
        run: trained_run.Run.
        mapped: mapped_sample.MappedSample.
        request: AuditRequest.

    Returns:
        (dict of JSON values, dict as of `answers.ChangedImages.answers`).
    """
    sample = mapped.sample
    changed = ChangedImages(run, mapped, seed=request.seed, examples=_EXAMPLES)
    log.info("Changed images: %d forward passes.", len(sample) * changed.passes)
    answers = changed.answers()
    report = {
        "n": len(sample),
        "n_patients": len(np.unique(sample.patients)),
        "classes": dict(zip(run.classes, np.bincount(sample.labels, minlength=len(run.classes)), strict=True)),
        "explained": run.positive or "the predicted class",
        "method": request.method,
        "seed": request.seed,
        "left_out": sample.left_out,
        "partners": len(changed.partners),
        "lung_fields": mapped.lung_facts(),
        **heat_figures(mapped, seed=request.seed),
        **_changes(run, mapped, answers),
        "model": _model_figures(run, mapped, answers, seed=request.seed),
    }
    return report, answers


def heat_figures(mapped, *, seed):
    """Where the heat lies: border_share, outside_lungs_share and constant_maps, dict of JSON values.

    Both shares have value, ci95 (by patient), n, the images behind them, and uniform, what a map has that is the same
    everywhere.
    """
    sample = mapped.sample
    border = np.array([border_share(heat) for heat in mapped.heats])
    outside = [None if lungs is None else ~lungs for lungs in mapped.lungs]
    beyond = np.array([share_inside(*pair) for pair in zip(mapped.heats, outside, strict=True)])
    area = np.array([np.nan if mask is None else mask.mean() for mask in outside])
    known = np.isfinite(beyond)
    uniform = {"border_share": UNIFORM_BORDER_SHARE}
    uniform["outside_lungs_share"] = float(area[known].mean()) if known.any() else None
    found = {"constant_maps": int((~mapped.has_heat).sum())}
    for name, values in (("border_share", border), ("outside_lungs_share", beyond)):
        found[name] = mean_by_patient(values, sample.patients, sample.labels, seed=seed)
        found[name] |= {"n": int(np.isfinite(values).sum()), "uniform": uniform[name]}
    return found


def _changes(run, mapped, answers):
    """`changed_by_<region>` of each shortcut and `flipped_by_marker`, dict of JSON values.

    The figures are those of other images' pixels, the mean over the partners, and of severity `SEVERITY`; the others
    stand inside them.
    """
    sample, before = mapped.sample, mapped.answers.predicted
    who = {"labels": sample.labels, "patients": sample.patients, "classes": run.classes}

    def figures(key):
        answered = answers[key]
        labels = np.stack([run.decision.labels(np.nan_to_num(logits)) for logits in answered.logits])
        return change_figures(before, labels, answered.known, **who)

    found = {}
    for region in SHORTCUTS:
        found[f"changed_by_{region.name}"] = figures((region.name, OTHER_IMAGE)) | {
            "mean_colour": figures((region.name, MEAN))
        }
    found["changed_by_lungs"] = figures((LUNGS.name, MEAN))
    by_severity = {str(severity): figures((MARKER, severity)) for severity in SEVERITIES}
    found["flipped_by_marker"] = by_severity[str(SEVERITY)] | {"by_severity": by_severity}
    return found


def _model_figures(run, mapped, answers, *, seed):
    """How well the model does on the unchanged images, and without their lungs, dict of JSON values.

    Both with AUROC and balanced accuracy; `with_lungs` is of the images whose lungs were found, as `without_lungs` is.
    """
    without = answers[(LUNGS.name, MEAN)]
    (logits_without,) = without.logits
    found = {}
    for name, logits, rows in (
        ("unchanged", mapped.logits, np.ones(len(mapped), bool)),
        ("with_lungs", mapped.logits, without.known),
        ("without_lungs", logits_without, without.known),
    ):
        labels, patients = mapped.sample.labels[rows], mapped.sample.patients[rows]
        scores = run.decision.calibration.log_odds(logits[rows])
        predicted = run.decision.labels(logits[rows])
        found[name] = label_estimates(labels, scores, patients, y_pred=predicted, seed=seed) | {"n": int(rows.sum())}
    return found
