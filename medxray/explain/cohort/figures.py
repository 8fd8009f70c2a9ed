"""Where the heat of groups of images lies, with intervals by patient. No TensorFlow."""

import numpy as np

from medxray.explain.cohort.groups import too_few
from medxray.metrics.map_concentration import UNIFORM_BORDER_SHARE, border_mask, share_inside
from medxray.metrics.patient_means import difference_by_patient, mean_by_patient

BORDER, LUNGS, ELSEWHERE = "border", "lungs", "elsewhere"
PLACES = (BORDER, LUNGS, ELSEWHERE)


def shares_of_image(heat, lungs):
    """Where the heat of one image lies.

    Border and lungs may overlap in an image that is cropped closely, so the three need not add up to 1.

    Args:
        heat: float array (h,w), 0 or more.
        lungs: bool array (h,w), or None where they were not found.

    Returns:
        dict of PLACES -> share, 0-1: the outer tenth, the lung field, and what is in neither of them; nan without heat,
        and for the last two without lungs.
    """
    border = border_mask(np.shape(heat))
    elsewhere = None if lungs is None else ~(border | lungs)
    return {
        BORDER: share_inside(heat, border),
        LUNGS: share_inside(heat, lungs),
        ELSEWHERE: share_inside(heat, elsewhere),
    }


def uniform_shares(lungs):
    """What `shares_of_image` has for a map that is the same everywhere, where the lungs are known; else nan."""
    if lungs is None:
        return {BORDER: UNIFORM_BORDER_SHARE, LUNGS: np.nan, ELSEWHERE: np.nan}
    return shares_of_image(np.ones(lungs.shape), lungs) | {BORDER: UNIFORM_BORDER_SHARE}


def figures_of_group(shares, uniform, members, patients, *, seed):
    """The figures of one group as JSON.

    Args:
        shares: dict of PLACES -> float array (n,), of all images.
        uniform: dict of PLACES -> float array (n,), of maps that are the same everywhere.
        members: bool array (n,).
        patients: str array (n,).
        seed: of the bootstrap.

    Returns:
        dict: n, n_patients, note (why it has no figures, or ""); with enough images constant_maps and, for each place,
        value, ci95 (by patient; None with too few), n, the images behind it, and uniform, the mean share of the area.
    """
    found = {"n": int(members.sum()), "n_patients": len(np.unique(patients[members])), "note": too_few(members)}
    if found["note"]:
        return found
    found["constant_maps"] = int(np.isnan(shares[BORDER][members]).sum())
    one_group = np.zeros(found["n"], int)
    for place in PLACES:
        values = shares[place][members]
        known = np.isfinite(values)
        found[place] = mean_by_patient(values, patients[members], one_group, seed=seed)
        reference = uniform[place][members][known]
        found[place] |= {"n": int(known.sum()), "uniform": float(reference.mean()) if known.any() else None}
    return found


def figures_of_difference(shares, first, second, patients, *, seed):
    """Shares of the first group less those of the second: dict of PLACES -> value and ci95, by patient.

    Args:
        shares: as for `figures_of_group`.
        first: bool array (n,).
        second: bool array (n,), with no image of the first.
        patients: str array (n,).
        seed: of the bootstrap.
    """
    both = first | second
    return {
        place: difference_by_patient(shares[place][both], first[both], patients[both], seed=seed) for place in PLACES
    }
