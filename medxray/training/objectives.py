"""What a stage minimises and watches."""

import dataclasses
from collections.abc import Callable

import keras
import numpy as np
from scipy.special import logsumexp

from medxray.metrics.calibration import calibrated_nll
from medxray.metrics.clustered import placements
from medxray.metrics.decision import MIN_IMAGES_PER_CLASS
from medxray.metrics.history import CALIBRATED, LOSS

_LEAST = 1e-6  # probability of all other classes together, in the weight of the focal loss


@dataclasses.dataclass(frozen=True, eq=False)
class Objective:
    """What a stage minimises and what it reports beside the loss.

    Attributes:
        loss: Keras loss, or a function (truth, output) -> loss of each image.
        metrics: function without arguments -> list of new Keras metrics of training; their names become columns of the
            history.
        loss_of_each: function, arrays (truth (n,), outputs (n,...)) -> loss of each image, float array (n,).
        figures: function of the same arrays -> dict name -> float, the figures of validation, exact.
        watched: column of the history whose lowest value keeps an epoch, and whose fall early stopping waits for; the
            validation loss where it is not there.
    """

    loss: object
    metrics: Callable
    loss_of_each: Callable
    figures: Callable
    watched: str = LOSS


def classification(*, label_smoothing=0.0, focal_gamma=0.0):
    """Cross-entropy of logits (n,K), with accuracy and, on validation images, the AUROC beside it.

    Validation is measured by plain cross-entropy, so that runs with other settings can be compared. The epoch is kept
    by the cross-entropy after calibration: a bias or a scale of the logits that the calibration takes away afterwards
    does not decide. With fewer images of a class than a calibration is fitted to, the validation loss decides.

    Source: Berta et al. (2025), Rethinking early stopping: refine, then calibrate, arXiv:2501.19195; deviation: biases
    are fitted beside the temperature, as the run's calibration does.

    Args:
        label_smoothing: share of each target that is spread over all classes, 0 to below 1. Source: Szegedy et al.
            (2016), Rethinking the Inception architecture, section 7.
        focal_gamma: exponent that takes weight from images that are already right; 0: none. Source: Lin et al. (2017),
            Focal loss, eq. 4, for all classes.

    Returns:
        Objective. Its loss takes labels as class numbers (n,) or, where images are mixed, as shares (n,K).
    """

    def loss(truth, logits):
        return _soft_cross_entropy(_shares(truth, logits, label_smoothing), logits, focal_gamma)

    return Objective(
        loss,
        lambda: [keras.metrics.MeanMetricWrapper(_right, name="accuracy")],
        _cross_entropy,
        _figures,
        watched=CALIBRATED,
    )


def _shares(truth, logits, label_smoothing):
    """Targets (n,K), each row with the sum 1."""
    classes = logits.shape[-1]
    shares = truth if len(truth.shape) == 2 and truth.shape[-1] == classes else _one_hot(truth, classes)
    shares = keras.ops.cast(shares, logits.dtype)
    return (1 - label_smoothing) * shares + label_smoothing / classes


def _one_hot(truth, classes):
    return keras.ops.one_hot(keras.ops.reshape(truth, (-1,)), classes)


def _soft_cross_entropy(shares, logits, focal_gamma):
    """-sum_k shares_k (1 - p_k)^gamma log p_k of each image, (n,)."""
    logs = keras.ops.log_softmax(logits, axis=-1)
    if focal_gamma:
        others = keras.ops.maximum(-keras.ops.expm1(logs), _LEAST)  # a power below 1 has no slope at 0
        shares = shares * keras.ops.power(others, focal_gamma)
    return -keras.ops.sum(shares * logs, axis=-1)


def _right(truth, logits):
    """1 where the highest logit is at the class with the largest share, else 0; (n,)."""
    wanted = keras.ops.argmax(_shares(truth, logits, 0.0), axis=-1)
    return keras.ops.cast(wanted == keras.ops.argmax(logits, axis=-1), "float32")


def _cross_entropy(truth, logits):
    return keras.losses.sparse_categorical_crossentropy(truth, logits, from_logits=True).numpy()


def _figures(truth, logits):
    """Accuracy, cross-entropy, and the AUROC of the second of two classes or the mean of all, each against the others.

    No figure depends on weights of images or on regularisation, as the loss does.
    """
    logits = logits.astype(np.float64)
    known = {"accuracy": float((logits.argmax(axis=1) == truth).mean())}
    with np.errstate(invalid="ignore"):  # logits that are no numbers are told by the loss
        known["nll"] = float((logsumexp(logits, axis=1) - logits[np.arange(len(truth)), truth]).mean())
    if np.bincount(truth, minlength=logits.shape[1]).min() >= MIN_IMAGES_PER_CLASS:
        known["calibrated_nll"] = calibrated_nll(logits, truth)  # with fewer the run is not calibrated
    classes = [1] if logits.shape[1] == 2 else range(logits.shape[1])
    sides = [truth == k for k in classes]
    if any(side.all() or not side.any() for side in sides):
        return known | {"auroc": float("nan")}
    with np.errstate(invalid="ignore"):  # logits that are no numbers are told by the loss
        odds = [logits[:, k] - np.logaddexp.reduce(np.delete(logits, k, axis=1), axis=1) for k in classes]
    areas = [placements(side, score)[0].mean() for side, score in zip(sides, odds, strict=True)]
    return known | {"auroc": float(np.mean(areas))}


def own_output():
    """For a model whose output (n,1) is the loss of each image; labels are not looked at."""
    return Objective(
        lambda truth, output: keras.ops.squeeze(output, -1),
        list,
        lambda truth, output: output[:, 0],
        lambda truth, output: {},
    )
