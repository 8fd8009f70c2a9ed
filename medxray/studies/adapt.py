"""A run's decision brought to another place by a few labelled patients, kept only where left-out patients gain."""

import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from medxray.errors import ConfigError
from medxray.metrics import adaptation, sample_size
from medxray.metrics.adaptation import Place
from medxray.metrics.adaptation_figures import before_and_after, recall_names
from medxray.metrics.carried_threshold import threshold_words
from medxray.metrics.intervals import estimate
from medxray.metrics.shares import share
from medxray.runs.derived import place_of
from medxray.runs.images import learned_digests, other_manifest
from medxray.studies import site
from medxray.studies.adapted_run import write_adapted
from medxray.system import storage

log = logging.getLogger(__name__)
SPLIT = "site"  # what the sample is called in predictions
PRECISION = 0.05


@dataclass(frozen=True)
class SiteOptions:
    """What the user says of a labelled sample.

    Attributes:
        prevalence: text for `site.parse_prevalence`; None where the sample is consecutive.
        consecutive: the patients were taken as they came, so the prevalence is that of the sample.
        precision: half width of the intervals of sensitivity and specificity that is wished for.
        seed: of folds and resamples.
    """

    prevalence: str | None = None
    consecutive: bool = False
    precision: float = PRECISION
    seed: int = 0

    def __post_init__(self):
        """Refuse what contradicts itself."""
        if (self.prevalence is None) != self.consecutive:
            raise ConfigError(
                "Say which share of the patients of the new place is ill with --prevalence, or that the sample holds "
                "them as they came with --consecutive: one of the two."
            )
        if not 0 < self.precision < 0.5:
            raise ConfigError(f"--precision must be above 0 and below 0.5. Received {self.precision:g}.")


def adapt(run, data, options, *, name=None, runs_dir="runs", label_map=None, columns=None, exclude_known=False):
    """Adapt the decision of a run to another place, and write a new run where that is worth it.

    Args:
        run: trained_run.Run of a classifier; it stays as it is.
        data: folder or CSV with labelled images of the place; splits that it has do not count.
        options: SiteOptions.
        name: of the new run; None: that of the run with "-adapted".
        runs_dir: folder of the new run.
        label_map: dict label of the data -> class of the run.
        columns: dict of path_col, label_col, patient_col, split_col, image_root, positive_finding, uncertain for a CSV.
        exclude_known: leave out images whose files, patients or pictures the run has learned, instead of refusing.

    Returns:
        (dict of JSON values, see docs/studies.md; RunDir of the new run, or None where the run's decision stays).

    Raises:
        ConfigError: an impossible prevalence, or a name that is no plain folder name.
        DataError: unknown labels, images that the run knows, or fewer than 25 patients of a class.
        RunError: an anomaly run, an incomplete one, or the new run exists already.
        StorageError: the new run cannot be written.
    """
    site.check_run(run)
    shares = None if options.consecutive else site.parse_prevalence(options.prevalence, run.classes)
    path = place_of(runs_dir, name, stem=f"{run.name}-adapted")
    manifest = other_manifest(run, data, label_map=label_map, columns=columns)
    manifest = site.unknown_images(run, manifest, exclude_known=exclude_known)
    place_name = Path(data).resolve().name
    site.check_patients(manifest.patients(), manifest.labels(), run.classes, place_name)
    sample, pictures = run.predict_manifest(manifest, split=SPLIT)
    site.check_patients(sample.patient_ids, sample.y_true, run.classes, place_name)
    manifest = manifest.where(manifest.table["path"].isin(sample.paths))
    place = Place(run.decision, site.old_prevalence(run), shares)
    found = adapted(sample, place, site_name=place_name, precision=options.precision, seed=options.seed)
    found = {"run": run.name, "data": str(data)} | found | {"refused": _refused(run, sample, pictures)}
    found["notes"] += _notes(run, sample, manifest, place)
    found = storage.plain(found)
    if not found["kept"]:
        return found, None
    return found, write_adapted(run, found, manifest, path)


def adapted(sample, place, *, site_name, precision=PRECISION, seed=0):
    """Adapt a decision to a labelled sample and judge it on patients left out; no image is read and nothing written.

    Args:
        sample: `Predictions` of the sample.
        place: metrics.adaptation.Place.
        site_name: name of the place, for the decision.
        precision: half width that is wished for.
        seed: of folds and resamples.

    Returns:
        dict, see docs/studies.md.
    """
    prevalence = place.prevalence(sample)
    told = f"Adapted to {site_name}: {sample.n_patients} patients, prevalence {_words(sample.classes, prevalence)}."
    made = adaptation.decide(sample, place, site=site_name, messages=(told,), seed=seed)
    found, decision = made.adaptation, made.decision
    figures = before_and_after(sample, made.before, made.after, place.weights(sample), seed=seed)
    stored, used = place.decision, made.after if made.kept else made.before
    return {
        "site": site_name,
        "n": len(sample),
        "n_patients": sample.n_patients,
        "n_unknown": sample.n_unknown,
        "patients": _patients(sample),
        "prevalence": dict(zip(sample.classes, prevalence, strict=True)),
        "consecutive": place.new is None,
        "stored_prevalence": None if place.old is None else dict(zip(sample.classes, place.old, strict=True)),
        "slope": found.slope,
        "shift": list(found.shift),
        "prior": list(found.prior),
        "stored": stored.to_dict(),
        "adapted": decision.to_dict(),
        "threshold_kept": None if stored.threshold is None else threshold_words(stored.threshold),
        "folds": adaptation.FOLDS,
        "seed": seed,
        **figures,
        "kept": made.kept,
        "precision": {
            "wished": precision,
            "classes": _precision(sample, used, precision),
        },
        "notes": [],
    }


def _words(classes, prevalence):
    shown = list(zip(classes, prevalence, strict=True))
    return ", ".join(f"{name} {share:.3g}" for name, share in (shown[1:] if len(shown) == 2 else shown))


def _patients(sample):
    names = {name: sample.y_true == k for k, name in enumerate(sample.classes)}
    return {name: len(np.unique(sample.patient_ids[own])) for name, own in names.items()}


def _precision(sample, judged, wished):
    """For each class: which figure its patients give, how surely, and how many are needed."""
    found = {}
    for k, (name, figure) in enumerate(zip(sample.classes, recall_names(sample), strict=True)):
        own = sample.y_true == k
        right = judged.labels[own] == k
        found[name] = {"figure": figure} | sample_size.patients_for(right, sample.patient_ids[own], wished)
    return found


def _refused(run, sample, pictures):
    """Share of the images that the gate refuses, as JSON (`value`, `ci95`)."""
    seen = run.appearance(pictures)
    if seen is None:
        return estimate(np.nan)
    found = share(seen.refused, np.ones(len(sample), bool), sample.patient_ids)
    return {"value": found["value"], "ci95": found["ci95"]}


def _notes(run, sample, manifest, place):
    """What the reader must know of an adaptation, list of str."""
    notes = []
    if place.old is None:
        notes.append(
            "The run's probabilities were never fitted to validation images, so the prevalence they are for is not "
            "known: the adaptation starts from them as they are."
        )
    if sample.n_unknown:
        notes.append(
            f"The patients of {sample.n_unknown} of {len(sample)} images are unknown: each counts as a patient, and "
            "folds and intervals are too good where a patient has several images."
        )
    tested = learned_digests(run.directory, ("test",)).intersection(manifest.content_digests())
    if tested:
        notes.append(
            f"{len(tested)} images are of the run's own test split: the figures of that split in the new run are of "
            "images that its decision was fitted to."
        )
    return notes
