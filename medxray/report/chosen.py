"""Which images a report shows. No TensorFlow."""

import numpy as np

from medxray.metrics.failures import confident_errors

SHOWN = 48  # pictures of gallery and errors together
_OF_A_KIND = 12


def error_rows(contents):
    """The most confident errors: dict kind -> int array of rows of the predictions, most confident first."""
    return confident_errors(contents.predictions, contents.decision, k=_OF_A_KIND)


def sample_rows(contents, seed=0):
    """A random sample of the other images, drawn without looking at what is predicted for them, by class.

    Errors and sample together are at most SHOWN images.

    Returns:
        int array of rows of the predictions.
    """
    errors = np.concatenate([np.zeros(0, int), *error_rows(contents).values()])
    order = np.random.default_rng(seed).permutation(len(contents.predictions))
    rows = order[: SHOWN - len(errors)]
    return rows[np.lexsort((rows, contents.predictions.y_true[rows]))]


def shown_rows(contents):
    """Rows of all images that gallery and errors show, int array, ascending, at most SHOWN."""
    return np.unique(np.concatenate([sample_rows(contents), *error_rows(contents).values()]).astype(int))
