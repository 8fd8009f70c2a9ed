"""The end of every anomaly detector: raw score -> score -> logits -> probabilities."""

import keras
from keras import layers

from medxray.models.heads import LOGITS, POOLED, PROBABILITIES

RAW_SCORE, SCORE, MAP, RECONSTRUCTION = "raw_score", "score", "anomaly_map", "reconstruction"


def finish_detector(raw, *, mean, deviation):
    """Put score, logits and probabilities behind a model that gives a raw score.

    The score is (raw - mean) / deviation. The logits are 0 for normal and the score for abnormal, so that the softmax
    rises with the score, and temperature, bias and threshold are fitted as for a classifier.

    Args:
        raw: keras.Model with one input and the layers `raw_score` (N,1), `anomaly_map` (N,h,w), `pooled` (N,c), and
            perhaps `reconstruction` (N,H,W,C).
        mean: mean of the raw scores of normal validation images.
        deviation: standard deviation of the same scores, above 0.

    Returns:
        keras.Model: float32 images (N,H,W,C), 0-255 -> list of probabilities (N,2), anomaly map (N,h,w), pooled (N,c)
        and, where there is one, reconstruction. Its layers share their weights with `raw`.
    """
    value = raw.get_layer(RAW_SCORE).output
    score = layers.Rescaling(1 / deviation, -mean / deviation, dtype="float32", name=SCORE)(value)
    normal = layers.Rescaling(0.0, dtype="float32", name="normal_logit")(score)
    logits = layers.Concatenate(dtype="float32", name=LOGITS)([normal, score])
    outputs = [layers.Softmax(dtype="float32", name=PROBABILITIES)(logits)]
    names = [layer.name for layer in raw.layers]
    outputs += [raw.get_layer(name).output for name in (MAP, POOLED, RECONSTRUCTION) if name in names]
    return keras.Model(raw.input, outputs, name=raw.name)
