"""The exported graph of an anomaly run, and what it is compared with."""

import keras
import numpy as np

from medxray.anomaly.score import MAP, SCORE
from medxray.explain.maps import upsample
from medxray.export.parity import largest_difference, to_numpy
from medxray.export.serving import Serving
from medxray.models.heads import LOGITS, POOLED


class DetectorServing(Serving):
    """The exported graph of an anomaly run: `serve_bytes` and `serving_default` also give score and map."""

    def _network(self, model):
        names = (LOGITS, POOLED, SCORE, MAP)
        return keras.Model(model.input, [model.get_layer(name).output for name in names])

    def _answer(self, outputs):
        _, _, score, maps = outputs
        return super()._answer(outputs) | {"score": score[:, 0], "map": upsample(maps, self._spec.size)}


def parity(run, loaded, compared):
    """Largest differences of score and map between the exported graph and the run.

    Args:
        run: detector.Detector.
        loaded: the SavedModel.
        compared: export.parity.Compared.

    Returns:
        dict: `score` and `map` (against `run.maps`, the map upsampled; relative to the largest where that is above 1),
        and for PatchCore `neighbors` (squared distances against scikit-learn, likewise relative).
    """
    answer, (found, _) = to_numpy(loaded.signatures["serve_bytes"](compared.content)), run.maps(compared.files)
    scores, small = np.array([item.score for item in found]), np.stack([item.anomaly_map for item in found])
    maps = upsample(small, run.input_size).numpy()
    differences = {
        "score": largest_difference(answer["score"], scores) / max(1.0, float(np.abs(scores).max())),
        "map": largest_difference(answer["map"], maps) / max(1.0, float(maps.max())),
    }
    reference = run.reference_maps(compared.images)
    if reference is not None:
        differences["neighbors"] = squared_gap(small, reference)
    return differences


def squared_gap(received, expected):
    """Largest difference of the squares of distances, relative to the largest square where that is above 1.

    A distance is the root of a difference of large numbers: near 0 the root makes much of their rounding.
    """
    return largest_difference(received**2, expected**2) / max(1.0, float((expected**2).max()))
