"""How many patients tell a share of images as surely as is wished."""

import math

import numpy as np

from medxray.metrics.intervals import effective_images, wilson

_MOST = 10_000_000
_Z = 1.959963984540054  # of 95 %


def half_width(share, images):
    """Half the width of Wilson's 95 % interval of a share among so many independent images."""
    low, high = wilson(share * images, images)
    return float(high - low) / 2


def images_for(share, wished):
    """The smallest number of independent images whose interval has at most the wished half width.

    Args:
        share: the share that is expected, 0-1.
        wished: half width, above 0 and below 0.5.

    Returns:
        int, at least 1.
    """
    low, high = 0, _MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if half_width(share, middle) <= wished else (middle, high)
    return high


def patients_for(success, patient_ids, wished):
    """How many patients of a class a share such as the sensitivity needs, judged by those that there are.

    Args:
        success: bool array (n,), the images of the class that are labelled rightly, n >= 1.
        patient_ids: str array (n,).
        wished: half width of the 95 % interval, above 0 and below 0.5.

    Returns:
        dict: patients (now), half_width (now), needed (patients in all, if they have as many images each and the share
        is the middle of its interval, so that one of 0 or 1 is not taken at its word).

    Source: Wilson (1927), the interval solved for its width; Rao and Scott (1992) for several images of a patient.
    """
    share, patients = float(np.mean(success)), len(np.unique(patient_ids))
    images = effective_images(np.asarray(success, bool), patient_ids)
    expected = (share * images + _Z**2 / 2) / (images + _Z**2)
    needed = math.ceil(images_for(expected, wished) * patients / images - 1e-9)
    return {"patients": patients, "half_width": half_width(share, images), "needed": needed}
