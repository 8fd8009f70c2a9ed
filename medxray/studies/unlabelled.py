"""The prevalence of a new place from images without labels, and the thresholds for it; nothing is changed."""

from pathlib import Path

import numpy as np
from scipy.special import expit, logit

from medxray.data.layouts.unlabelled import unlabelled_manifest
from medxray.errors import ConfigError, DataError, RunError
from medxray.evaluation.pictures import Pictures
from medxray.metrics.bootstrap import N_BOOT
from medxray.metrics.intervals import estimate
from medxray.metrics.prior_shift import prevalence_estimate
from medxray.metrics.shares import share
from medxray.models.inference import logits_model, predict_batches
from medxray.predict.inputs import expand_inputs
from medxray.studies import site
from medxray.system import progress, storage

_TAKEN = ("path_col", "patient_col", "image_root")
_NO_PATIENTS = "The patients are unknown: the interval is by image, and too narrow where a patient has several."


def estimate_prevalence(run, data, *, columns=None, exclude_known=False, seed=0):
    """Estimate the prevalence of a place; the run stays as it is.

    Args:
        run: trained_run.Run of a classifier.
        data: folder or CSV of images of the place; folder names are no labels.
        columns: dict of path_col, patient_col, image_root for a CSV.
        exclude_known: leave out images whose files, patients or pictures the run has learned, instead of refusing.
        seed: of the resamples.

    Returns:
        dict of JSON values, see docs/studies.md.

    Raises:
        ConfigError: an option that images without labels do not take.
        DataError: the run knows some of the images, or there are fewer than 25 patients.
        RunError: an anomaly run, or one whose probabilities were never fitted to validation images.
    """
    site.check_run(run)
    old = site.old_prevalence(run)
    if old is None:
        raise RunError(
            f"The probabilities of {run.path} were never fitted to validation images of each class, so no prevalence "
            "can be told from them. Train it with more validation images, or adapt it with labels."
        )
    manifest = _manifest(run, data, columns or {})
    manifest = site.unknown_images(run, manifest, exclude_known=exclude_known)
    source, manifest = run.form.readable(manifest)
    patients = manifest.patients()
    if len(np.unique(patients)) < site.MIN_PATIENTS:
        raise DataError(
            f"A prevalence needs {site.MIN_PATIENTS} patients. {Path(data).resolve().name} has "
            f"{len(np.unique(patients))}. Give more images of the place."
        )
    pictures = Pictures(source, np.arange(len(manifest)))
    batches = progress.counted(pictures.batches(run.batch), len(pictures), "Predictions")
    logits = predict_batches(logits_model(run.model), batches)
    found = prevalence_report(run.decision, logits, patients, classes=run.classes, old=old, seed=seed)
    unknown = int((manifest.table["patient_id"] == "").sum())
    own = {"n_unknown": unknown, "refused": _refused(run, pictures, patients)}
    own["notes"] = [_NO_PATIENTS] if unknown else []
    return storage.plain({"run": run.name, "data": str(data), "site": Path(data).resolve().name} | found | own)


def _manifest(run, data, columns):
    given = {name: value for name, value in columns.items() if value is not None}
    for name in set(given) - set(_TAKEN):
        raise ConfigError(f"--{name.replace('_', '-')} is for labelled data. Leave it out with --unlabelled.")
    files = [] if Path(data).is_file() else expand_inputs([data])
    return unlabelled_manifest(data, files, classes=run.classes, positive=run.positive, **given)


def _refused(run, pictures, patients):
    seen = run.appearance(pictures)
    if seen is None:
        return estimate(np.nan)
    found = share(seen.refused, np.ones(len(patients), bool), patients)
    return {"value": found["value"], "ci95": found["ci95"]}


def prevalence_report(decision, logits, patients, *, classes, old, n_boot=N_BOOT, seed=0):
    """The prevalence of images by their logits, and thresholds for it.

    Args:
        decision: metrics.decision.Decision of the run.
        logits: float array (n, K).
        patients: str array (n,).
        classes: names of the classes.
        old: prevalence that the decision is for, K floats.
        n_boot: resamples of patients.
        seed: of the resamples.

    Returns:
        dict: n, n_patients, stored_prevalence, prevalence (class -> value and ci95) and, for two classes, thresholds.
    """
    probabilities = decision.calibration.probabilities(logits)
    shares, intervals = prevalence_estimate(probabilities, old, patients, n_boot=n_boot, seed=seed)
    estimates = [estimate(share, interval) for share, interval in zip(shares, intervals, strict=True)]
    found = {
        "n": len(patients),
        "n_patients": len(np.unique(patients)),
        "stored_prevalence": dict(zip(classes, old, strict=True)),
        "prevalence": dict(zip(classes, estimates, strict=True)),
        "seed": seed,
        "thresholds": None,
    }
    if decision.threshold is not None:
        found["thresholds"] = thresholds_for(decision.threshold, old[-1], estimates[-1])
    return found


def thresholds_for(point, old, estimated):
    """The two thresholds that a stored one can become at another prevalence.

    Each is given on the run's own probabilities (`stored_scale`) and on those corrected for the prevalence
    (`corrected_scale`).

    Args:
        point: metrics.thresholds.OperatingPoint.
        old: prevalence that it was chosen at, 0-1.
        estimated: dict with value and ci95, the other prevalence.

    Returns:
        dict: rule; stored; same_errors (sensitivity and specificity stay: the labels do not change) and same_price
        (the price of a false alarm in missed patients stays: the corrected probability is compared with the stored
        threshold), each with stored_scale and corrected_scale, which have value and ci95.

    Source: Saerens, Latinne and Decaestecker (2002), eq. 2.4; Elkan (2001), The foundations of cost-sensitive learning,
    theorem 2.
    """

    def moved(sign):
        def at(prevalence):
            with np.errstate(divide="ignore"):
                return float(expit(point.log_odds + sign * (logit(prevalence) - logit(old))))

        ends = estimated["ci95"]
        return estimate(at(estimated["value"]), None if ends is None else sorted(map(at, ends)))

    fixed = {"value": point.value, "ci95": None}
    return {
        "rule": point.rule,
        "stored": point.value,
        "same_errors": {"stored_scale": fixed, "corrected_scale": moved(1)},
        "same_price": {"stored_scale": moved(-1), "corrected_scale": fixed},
    }
