"""In which precision the parts of a training compute: named, or measured and put on record with the reason.

The parts are the frozen prefix, where it computes augmented views for the cache, and the training step. Unchanged
images, from which figures come, always pass the prefix in float32; so does everything after the training.
"""

import logging
import statistics
import time

import numpy as np
import tensorflow as tf

from medxray.data.augment import PARAMETERS
from medxray.errors import ConfigError
from medxray.models.classifier import suffix
from medxray.models.inference import compiled
from medxray.models.precision import FLOAT32, computed_in

log = logging.getLogger(__name__)
AUTO, CANDIDATE = "auto", "bfloat16"
GAIN, CORRELATION, TIMES = 1.3, 0.9999, 5
WORTH = 30.0  # seconds that a part takes in all; below it nothing is measured
PREFIX, STEP = "prefix", "step"
_WORDS = {PREFIX: "frozen layers", STEP: "training step"}


def check_device(precision):
    """Raise ConfigError for float16 without a GPU."""
    if precision == "float16" and not tf.config.list_physical_devices("GPU"):
        raise ConfigError("--precision float16 needs a GPU. Take bfloat16, float32 or auto.")


class Precisions:
    """The precision of each part of a run, chosen once and kept in run.json.

    Args:
        run: RunDir.
        asked: `--precision`.
    """

    def __init__(self, run, asked):
        self._run, self._asked = run, asked
        self._record = run.read_record().get("precision", {"asked": asked})

    def of(self, part):
        """The precision of PREFIX or STEP; float32 where it was not chosen."""
        return self._record.get(part, {}).get("precision", FLOAT32)

    @property
    def lowered(self):
        """The names of other precisions than float32 that are in use, list."""
        return sorted({self.of(part) for part in (PREFIX, STEP)} - {FLOAT32})

    def choose(self, part, trial, *, passes):
        """Choose the precision of a part, unless the record has it.

        Args:
            part: PREFIX or STEP.
            trial: function precision -> (function that computes one batch, function () -> list of its outputs as
                arrays).
            passes: how often the part computes a batch in this run.

        Returns:
            str, key of models.precision.POLICIES.
        """
        if part not in self._record:
            named = {"precision": self._asked, "reason": "named"}
            self.note(part, measured(trial, passes=passes) if self._asked == AUTO else named)
            log.info("Precision of the %s: %s (%s).", _WORDS[part], self.of(part), self._record[part]["reason"])
        return self.of(part)

    def note(self, name, facts):
        """Put something on the run's record."""
        self._record = {**self._record, name: facts}
        self._run.update_record(precision=self._record)


def measured(trial, *, passes):
    """Time one batch in float32 and in bfloat16 and compare the outputs.

    bfloat16 is taken where it is at least GAIN times faster (median of TIMES) and the correlation of the outputs, the
    lowest of all outputs, is at least CORRELATION. Nothing is compared where the part takes less than WORTH seconds.

    Args:
        trial: as for `Precisions.choose`.
        passes: as for `Precisions.choose`.

    Returns:
        dict: precision, reason, and what was measured: seconds (dict precision -> median of one batch), correlation.
    """
    if not passes:
        return {"precision": FLOAT32, "reason": "nothing is to be computed"}
    compute, outputs = trial(FLOAT32)
    seconds, expected = {FLOAT32: _median_seconds(compute, times=1)}, outputs()
    if seconds[FLOAT32] * passes < WORTH:
        return {"precision": FLOAT32, "reason": f"takes less than {WORTH:.0f} s", "seconds": seconds}
    seconds[FLOAT32] = _median_seconds(compute)
    compute, outputs = trial(CANDIDATE)
    seconds[CANDIDATE] = _median_seconds(compute)
    correlation = min(map(_correlation, expected, outputs()))
    gain = seconds[FLOAT32] / seconds[CANDIDATE]
    taken = gain >= GAIN and correlation >= CORRELATION
    reason = f"{CANDIDATE} is {gain:.2f} times as fast, correlation {correlation:.5f}"
    facts = {"seconds": seconds, "correlation": correlation}
    return {"precision": CANDIDATE if taken else FLOAT32, "reason": reason, **facts}


def _median_seconds(compute, times=TIMES):
    compute()  # the first one is slower
    found = []
    for _ in range(times):
        begin = time.perf_counter()
        compute()
        found.append(time.perf_counter() - begin)
    return statistics.median(found)


def _correlation(one, other):
    """Pearson's correlation of the values of two arrays; 0 where it is not defined."""
    pair = np.stack([np.ravel(one), np.ravel(other)]).astype(np.float64)
    if not np.isfinite(pair).all() or not pair.std(axis=1).all():
        return 0.0
    return float(np.corrcoef(pair)[0, 1])


def prefix_trial(frozen, cuts, images, parameters):
    """The `trial` of the frozen prefix.

    Args:
        frozen: frozen_prefix.FrozenPrefix.
        cuts: tuple of names of layers.
        images: float32 array (N,H,W,C), 0-255.
        parameters: float32 array (N, augment.PARAMETERS).
    """
    batch = tf.constant(images), tf.constant(parameters)

    def trial(precision):
        forward = frozen.forward(cuts, precision)

        def compute():
            return [output.numpy() for output in forward(*batch)]

        return compute, compute

    return trial


def step_trial(model, classifier, inputs):
    """The `trial` of a training step: forward and backward pass; nothing of the model changes.

    Args:
        model: keras.Model for fit, that ends in logits.
        classifier: the model whose layers it has.
        inputs: of one batch, as fit gets them.
    """
    before = [variable.numpy() for variable in model.variables]

    def trial(precision):
        @tf.function
        def step():
            with tf.GradientTape() as tape:
                value = tf.reduce_mean(model(inputs, training=True) ** 2)  # any loss; it takes next to no time
            return tape.gradient(value, [variable.value for variable in model.trainable_variables])

        @tf.function
        def forward():
            return model(inputs, training=False)

        with computed_in(classifier, precision):
            passes = [function.get_concrete_function() for function in (step, forward)]

        def compute():
            [tf.convert_to_tensor(gradient).numpy() for gradient in passes[0]()]
            for variable, value in zip(model.variables, before, strict=True):
                variable.assign(value)  # statistics of normalisation, the random state of dropout

        return compute, lambda: [passes[1]().numpy()]

    return trial


def forward_as_trained(model, cut, *, features, precisions):
    """A compiled function in the precisions of training: images (n,H,W,C), 0-255 -> float32 array of logits (n,K).

    Args:
        model: the trained classifier.
        cut: that of the last stage.
        features: features.PrefixFeatures, or None.
        precisions: precision.Precisions.
    """
    frozen = None
    if features is not None and features.has(cut, augmented=True):
        frozen = features.frozen.forward((cut,), precisions.of(PREFIX))
    with computed_in(model, precisions.of(STEP)):
        last = compiled(suffix(model, cut if frozen else None)).get_concrete_function()  # traced here

    def forward(images):
        batch = tf.cast(images, tf.float32)
        if frozen:
            batch = tf.cast(frozen(batch, tf.zeros((len(batch), PARAMETERS)))[0], tf.float32)
        return last(batch)[0].numpy()

    return forward
