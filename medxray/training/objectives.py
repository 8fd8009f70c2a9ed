"""What a stage minimises and watches."""

import dataclasses
from collections.abc import Callable

import keras


@dataclasses.dataclass(frozen=True, eq=False)
class Objective:
    """What a stage minimises and what it reports beside the loss.

    Attributes:
        loss: Keras loss, or a function (truth, output) -> loss of each image.
        metrics: function without arguments -> list of new Keras metrics; their names become columns of the history.
    """

    loss: object
    metrics: Callable


class Auroc(keras.metrics.AUC):
    """AUROC from logits during training: trapezoids over 200 thresholds, macro one-vs-rest above two classes."""

    def __init__(self, classes):
        super().__init__(name="auroc", multi_label=classes > 2, num_labels=classes if classes > 2 else None)
        self._classes = classes

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Add logits (n,K) of images with labels (n,)."""
        probabilities = keras.ops.softmax(keras.ops.cast(y_pred, "float32"))
        if self._classes == 2:
            return super().update_state(y_true, probabilities[:, 1])
        return super().update_state(keras.ops.one_hot(y_true, self._classes), probabilities)


def classification(classes):
    """Cross-entropy of logits (n,K) with accuracy and AUROC beside it."""
    return Objective(
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        lambda: [keras.metrics.SparseCategoricalAccuracy(name="accuracy"), Auroc(classes)],
    )


def own_output():
    """For a model whose output (n,1) is the loss of each image; labels are not looked at."""
    return Objective(lambda truth, output: keras.ops.squeeze(output, -1), list)
