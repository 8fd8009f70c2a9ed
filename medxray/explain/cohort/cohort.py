"""From a run to the mean heatmaps of groups of its images."""

import logging
from dataclasses import dataclass

import numpy as np

from medxray.evaluation.evaluate import part_of_data
from medxray.explain.checks.sample import read_sample
from medxray.explain.cohort.figures import PLACES, figures_of_difference, figures_of_group, shares_of_image
from medxray.explain.cohort.figures import uniform_shares as uniform_of
from medxray.explain.cohort.groups import comparisons_of, groups_of, too_few
from medxray.explain.cohort.mean_maps import GRID, mean_over, on_grid, relative_heat
from medxray.explain.explainer import ExplainRequest
from medxray.explain.mapped_sample import image_parts, map_sample
from medxray.explain.methods import GRADCAM
from medxray.plots import style
from medxray.plots.cohort import CohortDisplay
from medxray.runs.evaluation_files import CohortFiles
from medxray.system import storage

log = logging.getLogger(__name__)
IMAGES = 200


@dataclass(frozen=True)
class CohortRequest:
    """Which maps are averaged.

    Attributes:
        method: name of a row of `methods.METHODS`.
        target: class to explain in every image, or None for the usual one.
        images: how many images at most.
        seed: of the sample and of the bootstrap.
    """

    method: str = GRADCAM
    target: str | None = None
    images: int = IMAGES
    seed: int = 0


def write_cohort(run, data=None, *, split="test", request=None, out=None, exclude_known=False, **how):
    """Average the heatmaps of groups of images of a run, or of other data, and write what comes of it.

    Args:
        run: trained_run.Run.
        data: folder or CSV, as for `evaluation.evaluate.write_evaluation`; None: the run's own split.
        split: "train", "val" or "test".
        request: CohortRequest; None: the default one.
        out: folder to write to; None: `cohort` in the folder of this evaluation, see `runs.directory`.
        exclude_known: as for `write_evaluation`.
        **how: `label_map` and `columns`, as for `write_evaluation`.

    Returns:
        (dict of JSON values, see docs/explain.md; pathlib.Path of the folder it was written to).

    Raises:
        ConfigError: unknown method or class, one that the model cannot be explained by, or a run without heatmaps.
        DataError: the images cannot be used.
        StorageError: the folder cannot be written.
    """
    request = request or CohortRequest()
    ExplainRequest(method=request.method, target=request.target).check(run)
    storage.check_place(run.path if out is None else out)
    part, known, evaluation = part_of_data(run, data, split, exclude_known=exclude_known, **how)
    files = evaluation.cohort if out is None else CohortFiles(out)
    sample = read_sample(run, part, images=request.images, seed=request.seed)
    subtypes = dict(zip(part.files(), part.table["subtype"], strict=True))
    report, arrays = average(run, sample, [subtypes[file] for file in sample.files], request)
    report = storage.plain({"split": split, "data": None if known is None else str(data)} | report)
    storage.write_json(files.report_file, report)
    storage.write_npz(files.maps_file, **arrays)
    style.save(CohortDisplay(report, arrays).plot(), files.plot)
    return report, files.path


def average(run, sample, subtypes, request):
    """Average the maps of a sample by groups.

    Args:
        run: trained_run.Run.
        sample: checks.sample.CheckedImages.
        subtypes: list of n texts; "" where none is known.
        request: CohortRequest.

    Returns:
        (dict of JSON values, dict of named arrays for an npz), see docs/explain.md.
    """
    wanted = ExplainRequest(target=request.target)
    explained = None if request.target is None else run.classes[wanted.target_in(run.classes)]
    mapped = map_sample(run, sample, request.method, target=explained)
    groups = groups_of(run.classes, sample.labels, subtypes, mapped.answers.predicted)
    shares = _columns(map(shares_of_image, mapped.heats, mapped.lungs))
    uniform = _columns(map(uniform_of, mapped.lungs))
    who = {"patients": sample.patients, "seed": request.seed}
    figures = {name: figures_of_group(shares, uniform, members, **who) for name, members in groups.items()}
    _tell_few(figures)
    pairs, not_compared = _comparable(run.classes, groups)
    differences = {
        difference_name(*pair): figures_of_difference(shares, *(groups[name] for name in pair), **who) for pair in pairs
    }
    report = {
        "n": len(sample),
        "n_patients": len(np.unique(sample.patients)),
        "method": request.method,
        "explained": explained or run.positive or "the predicted class",
        "seed": request.seed,
        "left_out": sample.left_out,
        "lung_fields": mapped.lung_facts(),
        "groups": figures,
        "differences": differences,
        "not_compared": not_compared,
    }
    return report, _arrays(mapped, groups, pairs)


def _comparable(classes, groups):
    """(pairs of groups with enough images, dict name of another difference -> why it is left out)."""
    pairs, left_out = [], {}
    for pair in comparisons_of(classes):
        few = [f"{name} has {too_few(groups[name])}" for name in pair if too_few(groups[name])]
        if few:
            left_out[difference_name(*pair)] = "; ".join(few)
        else:
            pairs.append(pair)
    return pairs, left_out


def difference_name(first, second):
    """The name of a difference of two groups."""
    return f"{first} minus {second}"


def _columns(rows):
    rows = list(rows)
    return {place: np.array([row[place] for row in rows], np.float64) for place in PLACES}


def _tell_few(figures):
    for name, found in figures.items():
        if found["note"]:
            log.warning("The group %s has no mean map: %s.", name, found["note"])


def _arrays(mapped, groups, pairs):
    """The mean maps as named arrays, none of them a pickled object; nan where a group has too few images."""
    heats = np.stack([relative_heat(heat) for heat in mapped.heats])
    images = np.stack([on_grid(image.mean(axis=-1)) for image in image_parts(mapped.sample)])
    lungs = np.stack([np.full((GRID, GRID), np.nan) if one is None else on_grid(one) for one in mapped.lungs])
    enough = [members & (not too_few(members)) for members in groups.values()]
    means = dict(zip(groups, (mean_over(heats, members) for members in enough), strict=True))
    differences = [means[first] - means[second] for first, second in pairs]
    return {
        "groups": np.array(list(groups)),
        "counts": np.array([int(members.sum()) for members in groups.values()], np.int64),
        "mean_heat": np.stack(list(means.values())).astype(np.float32),
        "mean_image": np.stack([mean_over(images, members) for members in enough]).astype(np.float32),
        "lungs": np.stack([mean_over(lungs, members) for members in enough]).astype(np.float32),
        "difference_names": np.array([difference_name(*pair) for pair in pairs], dtype=str),
        "differences": np.array(differences, np.float32).reshape(-1, GRID, GRID),
    }
