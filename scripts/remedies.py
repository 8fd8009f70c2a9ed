"""What the script that tries remedies against borders shares: images under a remedy, and what a model says of them.

`try_remedies.py` says what the remedies are.
"""

import numpy as np
from compare_shifts import balanced_accuracies

NOTHING, MASK_BORDER, LUNG_CROP = "nothing", "mask-border", "lung-crop"
REMEDIES = (NOTHING, MASK_BORDER, LUNG_CROP)
MARGIN = 0.05  # around the box of the lungs, share of height and width of the image
SEVERITY = 2  # of the shifted views
BATCH = 16


def changed(image, remedy):
    """An image under a remedy.

    Args:
        image: uint8 array (h,w,C), without bars.
        remedy: one of REMEDIES.

    Returns:
        (uint8 array (h',w',C), why it is left whole or "").
    """
    from medxray.data.lungs.field import lung_field
    from medxray.metrics.map_concentration import border_mask

    if remedy == MASK_BORDER:
        return np.where(border_mask(image.shape[:2])[..., None], np.uint8(0), image), ""
    if remedy == NOTHING:
        return image, ""
    mask, reason = lung_field(image)
    if mask is None:
        return image, reason
    rows, columns = (_bounds(mask.any(axis=axis)) for axis in (1, 0))
    return image[rows, columns], ""


def _bounds(inside):
    """Where a bool array (side,) is true, with MARGIN on both sides, as a slice."""
    found, margin = np.flatnonzero(inside), round(MARGIN * len(inside))
    return slice(max(0, found[0] - margin), found[-1] + 1 + margin)


def as_inputs(pixels, boxes, remedy, form):
    """Inputs of a model under a remedy.

    Args:
        pixels: array (n,H,W,C), 0-255, inputs with bars; views are rounded.
        boxes: list of (top, left, height, width) in pixels, where each image lies in its input.
        remedy: one of REMEDIES.
        form: predict.input_form.InputForm of the model.

    Returns:
        (uint8 array (n,H,W,C), list of the boxes of what is left).
    """
    from medxray.data.images.decode import box_of, resize
    from medxray.explain.checks.perturbations import part_of

    found, places = [], []
    for image, box in zip(np.rint(np.clip(pixels, 0, 255)).astype(np.uint8), boxes, strict=True):
        part, _ = changed(part_of(image, box), remedy)
        if part.shape[:2] == tuple(box[2:]):
            part_of(image, box)[...] = part
            found.append(image)
            places.append(tuple(box))
        else:
            found.append(resize(part.astype(np.float32), form.size, form.resize).numpy())
            places.append(tuple(int(side) for side in box_of(part.shape[:2], form.size, form.resize)))
    return np.stack(found), places


def logits_of_views(run, remedy, images):
    """Logits of images and of their shifted views: dict (None or name of a family) -> float32 array (n,2).

    Args:
        run: a Run.
        remedy: one of REMEDIES, for each view.
        images: explain.checks.sample.CheckedImages, unchanged.
    """
    from medxray.data.image_keys import image_keys
    from medxray.data.manifest import content_digest
    from medxray.data.shifts.families import FAMILIES
    from medxray.data.shifts.views import Shiftable
    from medxray.explain.audit.answers import bars_of
    from medxray.explain.checks.scores import Scores
    from medxray.system import progress

    scores, keys, bars = Scores(run), image_keys(map(content_digest, images.files)), bars_of(images)
    found = {family: [] for family in (None, *FAMILIES)}
    with progress.track(len(images) * len(found), f"Views, {remedy}") as bar:
        for start in range(0, len(images), BATCH):
            some = slice(start, start + BATCH)
            batch = Shiftable(images.pixels[some], keys[some], bars=bars[some])
            for family, parts in found.items():
                view = images.pixels[some] if family is None else batch.view(family, SEVERITY).numpy()
                inputs, _ = as_inputs(view, images.boxes[some], remedy, run.form)
                parts.append(scores.logits(inputs.astype(np.float32)))
                bar.advance(len(inputs))
    return {family: np.concatenate(parts) for family, parts in found.items()}


def audited(run, remedy, sample, seed):
    """Where the heat of Grad-CAM lies, and how many answers move with another image's border.

    Args:
        run: a Run of two classes.
        remedy: one of REMEDIES.
        sample: explain.checks.sample.CheckedImages, unchanged.
        seed: of the other images and of the resamples.

    Returns:
        dict: border_share (value and ci95, of what the model sees) and moved (see `change_figures`).
    """
    from medxray.explain.audit.changes import change_figures
    from medxray.explain.audit.regions import partners, replaced
    from medxray.explain.checks.maps import MapFunction
    from medxray.explain.checks.perturbations import part_of
    from medxray.explain.checks.scores import Scores
    from medxray.explain.mapped_sample import image_parts
    from medxray.metrics.map_concentration import border_mask, border_share
    from medxray.metrics.patient_means import mean_by_patient

    inputs, boxes = as_inputs(sample.pixels, sample.boxes, remedy, run.form)
    heats = MapFunction(run, "gradcam", {})(inputs, np.ones(len(sample), np.int32), lambda done: None)
    shares = [border_share(part_of(heat, box)) for heat, box in zip(heats, boxes, strict=True)]
    scores, parts = Scores(run), image_parts(sample)

    def labels(pixels):
        asked, _ = as_inputs(pixels, sample.boxes, remedy, run.form)
        starts = range(0, len(asked), BATCH)
        found = [scores.logits(asked[start : start + BATCH].astype(np.float32)) for start in starts]
        return run.decision.labels(np.concatenate(found))

    def with_borders_of(others):
        columns = zip(sample.pixels, sample.boxes, others, strict=True)
        return np.stack([replaced(one, box, border_mask(box[2:]), parts[other]) for one, box, other in columns])

    after = [labels(with_borders_of(others)) for others in partners(sample.labels, sample.patients, seed)]
    who = {"labels": sample.labels, "patients": sample.patients, "classes": run.classes}
    known = np.ones(len(sample), bool)
    return {
        "border_share": mean_by_patient(shares, sample.patients, sample.labels, seed=seed),
        "moved": change_figures(labels(sample.pixels), np.stack(after), known, **who),
    }


def measured(run, remedy, validation, *, images, seed):
    """What a run says of validation images under a remedy.

    Args:
        run: a Run of two classes.
        remedy: one of REMEDIES.
        validation: Manifest of the validation images, unchanged.
        images: how many are audited, at most.
        seed: of samples and resamples.

    Returns:
        dict: truth, patients, clean and shifted (ClusteredAuroc), right (bool array (views,n): the label of a
        view is right), and what `audited` returns.
    """
    from medxray.explain.checks.sample import read_sample
    from medxray.metrics.clustered import clustered_auroc, mean_auroc

    everything = read_sample(run, validation, images=len(validation), seed=seed)
    logits = logits_of_views(run, remedy, everything)
    is_positive, patients = everything.labels == 1, everything.patients
    aurocs = [clustered_auroc(is_positive, found[:, 1] - found[:, 0], patients) for found in logits.values()]
    shifted = list(logits.values())[1:]
    sample = read_sample(run, validation, images=images, seed=seed)
    return {
        "truth": everything.labels,
        "patients": patients,
        "clean": aurocs[0],
        "shifted": mean_auroc(aurocs[1:]),
        "right": np.stack([run.decision.labels(found) == everything.labels for found in shifted]),
        **audited(run, remedy, sample, seed),
    }


def auroc_difference(one, other):
    """Difference of two ClusteredAurocs of the same images, such as means over views: (value, (low, high)).

    Source: Obuchowski (1997), as `metrics.paired.auroc_difference`, with what each patient adds to both.
    """
    from scipy.stats import t as student

    from medxray.metrics.clustered import degrees_of_freedom

    influence = one.influence - other.influence
    half = np.sqrt((influence**2).sum()) * student.ppf(0.975, degrees_of_freedom(influence, one.patients))
    value = one.value - other.value
    return value, (value - half, value + half)


def accuracy_figures(found, seed):
    """(Mean balanced accuracy over the views, its resamples by patient)."""
    from medxray.metrics.bootstrap import resample_weights

    weights = np.concatenate(list(resample_weights(found["patients"], found["truth"], seed=seed)))
    whole = np.ones((1, len(found["truth"])))
    value = balanced_accuracies(found["right"], found["truth"], whole)[0]
    return value, balanced_accuracies(found["right"], found["truth"], weights)
