"""How well a detector finds what is drawn: opacities painted into normal X-rays, or synthetic phantoms with opacities.

No image of a diseased person is needed for either. Shared by choose_autoencoder.py and choose_patches.py.
"""

import cv2
import numpy as np

KINDS = ("bacterial", "viral")
SEVERITIES = (0.5, 1.0)  # of the way from the lung to the brightness of the mediastinum
DRAWS = 3  # opacities of each kind that every image gets, one at a time


def air_of(image):
    """Share of air (h,w), 0-1, in a chest X-ray: dark, and inside the chest."""
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), len(image) / 40)
    height, width = image.shape
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    chest = ((np.abs(x) - 0.42) / 0.36) ** 2 + (y / 0.75) ** 2 < 1
    low, high = np.quantile(smooth[chest], (0.1, 0.8))
    return chest * np.clip((high - smooth) / max(high - low, 1.0), 0, 1).astype(np.float32)


def painted(image, kind, rng):
    """A grey uint8 image (h,w) with an opacity in its lungs."""
    from medxray.data.phantom.grid import Grid, draw_pose
    from medxray.data.phantom.opacity import bacterial, viral

    air = air_of(image)
    density = {"bacterial": bacterial, "viral": viral}[kind](Grid(image.shape, draw_pose(rng)), air, rng)
    target = np.quantile(image[image > 20], 0.85)
    share = np.clip(density * rng.uniform(*SEVERITIES), 0, 1)
    return np.clip(image + share * np.maximum(target - image, 0), 0, 255).astype(np.uint8)


def painted_sets(images, seed):
    """Every image with DRAWS opacities of each kind, one at a time: {kind: uint8 array (DRAWS * n,h,w)}."""
    rng = np.random.default_rng([seed, DRAWS])
    return {kind: np.stack([painted(image, kind, rng) for _ in range(DRAWS) for image in images]) for kind in KINDS}


def placements(intact, changed):
    """AUROC between intact and painted images, as the share that each image contributes.

    Args:
        intact: scores (n,).
        changed: scores (DRAWS * n,) of the same images painted, draw after draw.

    Returns:
        float64 array (n,): share of the intact scores below the painted ones of this image, ties half. Their mean is
        the AUROC (Mann and Whitney 1947).
    """
    below = (intact[None, :] < changed[:, None]).mean(axis=1) + 0.5 * (intact[None, :] == changed[:, None]).mean(axis=1)
    return below.reshape(DRAWS, len(intact)).mean(axis=0)


def painted_table(variants, *, seed, reference):
    """Markdown rows of variants on painted images.

    Args:
        variants: {name: {kind: placements (n,)}}.
        seed: of the bootstrap.
        reference: name of the variant that the others are compared with.

    Returns:
        list of str: name, AUROC per kind, their mean, and how much that mean is above the reference's, with a paired
        95 % percentile interval (Efron 1979, 2,000 resamples of the images).
    """
    mean = {name: np.mean(list(kinds.values()), axis=0) for name, kinds in variants.items()}
    drawn = _resamples(len(mean[reference]), seed)
    rows = [_line("variant", *KINDS, "both", "above the reference"), "|---" * (len(KINDS) + 3) + "|"]
    for name, kinds in variants.items():
        gains = (mean[name] - mean[reference])[drawn].mean(axis=1)
        cells = [f"{kinds[kind].mean():.3f}" for kind in KINDS]
        gain = mean[name].mean() - mean[reference].mean()
        rows.append(_line(name, *cells, f"{mean[name].mean():.3f}", _gained(name, reference, gain, gains)))
    return rows


def labelled_table(variants, labels, *, seed, reference):
    """Markdown rows of variants on phantoms with and without opacities.

    Args:
        variants: {name: scores (n,)}.
        labels: int array (n,), 0 without, 1 with an opacity.
        seed: as for `painted_table`.
        reference: as for `painted_table`.

    Returns:
        list of str: name, AUROC, and how much it is above the reference's, with an interval as in `painted_table`.
    """
    from sklearn.metrics import roc_auc_score

    drawn = [rows for rows in _resamples(len(labels), seed) if 0 < labels[rows].sum() < len(rows)]
    resampled = {
        name: np.array([roc_auc_score(labels[at], scores[at]) for at in drawn]) for name, scores in variants.items()
    }
    value = {name: roc_auc_score(labels, scores) for name, scores in variants.items()}
    rows = [_line("variant", "AUROC", "above the reference"), "|---" * 3 + "|"]
    for name in variants:
        gains = resampled[name] - resampled[reference]
        gained = _gained(name, reference, value[name] - value[reference], gains)
        rows.append(_line(name, f"{value[name]:.3f}", gained))
    return rows


def _resamples(count, seed):
    return np.random.default_rng(seed).integers(count, size=(2000, count))


def _gained(name, reference, gain, gains):
    low, high = np.percentile(gains, (2.5, 97.5))
    return "reference" if name == reference else f"{gain:+.3f} [{low:+.3f}, {high:+.3f}]"


def _line(*cells):
    return "| " + " | ".join(cells) + " |"
