"""The SavedModel of a run as MLflow loads it. MLflow runs a copy of this file, so it takes nothing from medxray."""

import json
from pathlib import Path

import mlflow
import pandas as pd
import tensorflow as tf


class Served(mlflow.pyfunc.PythonModel):
    """Images in, as the bytes of their files; labels and calibrated probabilities out."""

    def load_context(self, context):
        """Load the SavedModel, which context.artifacts names."""
        folder = Path(context.artifacts["saved_model"])
        self._model = tf.saved_model.load(str(folder))
        self._classes = json.loads((folder / "assets.extra" / "classes.json").read_text(encoding="utf-8"))["classes"]

    def predict(self, context, model_input, params=None):
        """A pandas.DataFrame with label and `probability_<class>` for each row of one with the column image_bytes."""
        answer = self._model.signatures["serve_bytes"](image_bytes=tf.constant(list(model_input["image_bytes"])))
        labels = [label.decode("utf-8") for label in answer["label"].numpy()]
        probabilities = answer["probabilities"].numpy().astype(float)
        columns = {f"probability_{name}": probabilities[:, k] for k, name in enumerate(self._classes)}
        return pd.DataFrame({"label": labels, **columns})


mlflow.models.set_model(Served())
