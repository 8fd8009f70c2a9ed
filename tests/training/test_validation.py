"""What a model is worth on validation images, before and after each epoch."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from sklearn.metrics import log_loss, roc_auc_score

from medxray.system.backend import load_tensorflow

load_tensorflow()

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from medxray import TrainConfig, train  # noqa: E402
from medxray.training.objectives import classification  # noqa: E402
from medxray.training.validation import (  # noqa: E402
    ESTIMATE_BATCHES,
    Validator,
    estimate_statistics,
    trained_normalizations,
)


def small_model(momentum=0.99):
    keras.utils.set_random_seed(0)
    image = keras.Input((4,))
    tensor = keras.layers.Dense(3, name="dense", kernel_regularizer=keras.regularizers.L2(0.1))(image)
    tensor = keras.layers.BatchNormalization(momentum=momentum, name="norm")(tensor)
    return keras.Model(image, keras.layers.Dense(2, name="logits")(tensor))


def batches(count=70, size=16, seed=0):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(3.0, 2.0, (count, 4)).astype(np.float32), rng.integers(0, 2, count)
    weights = rng.uniform(0.5, 2.0, count).astype(np.float32)
    return tf.data.Dataset.from_tensor_slices((x, y, weights)).batch(size), x, y, weights


def test_the_loss_is_that_of_keras_and_the_auroc_exact():
    model, (dataset, x, y, _) = small_model(), batches()
    model.compile(loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[])
    found = Validator(model, dataset, classification()).measure()
    assert found["val_loss"] == pytest.approx(model.evaluate(dataset, verbose=0), rel=1e-5)
    logits = model.predict(x, verbose=0)
    assert found["val_auroc"] == pytest.approx(roc_auc_score(y, logits[:, 1].astype(float) - logits[:, 0]), abs=1e-12)
    assert found["val_accuracy"] == pytest.approx((logits.argmax(axis=1) == y).mean())
    assert found["val_nll"] == pytest.approx(log_loss(y, softmax(logits.astype(float), axis=1)))  # weights do not count


def test_the_auroc_is_exact_where_the_softmax_is_1_for_all():
    truth, logits = np.array([0, 1, 0, 1]), np.array([[0, 90], [0, 95], [0, 91], [0, 120]], np.float32)
    assert classification().figures(truth, logits)["auroc"] == 1.0


def test_one_class_alone_has_no_auroc():
    assert np.isnan(classification().figures(np.zeros(3, int), np.zeros((3, 2), np.float32))["auroc"])


def test_estimated_statistics_are_the_means_of_the_batches():
    model, (dataset, x, _, _) = small_model(), batches(64, 16)
    norm = model.get_layer("norm")
    estimate_statistics(model, trained_normalizations(model), dataset)
    kernel, bias = model.get_layer("dense").get_weights()
    parts = (x @ kernel + bias).reshape(4, 16, 3)
    np.testing.assert_allclose(norm.moving_mean.numpy(), parts.mean(axis=1).mean(axis=0), rtol=1e-4)
    np.testing.assert_allclose(norm.moving_variance.numpy(), parts.var(axis=1).mean(axis=0), rtol=1e-4)
    assert norm.momentum == 0.99


def test_statistics_need_no_more_batches_than_suffice():
    read = []

    def endless():
        while True:
            read.append(1)
            yield np.full((16, 4), len(read), np.float32), np.zeros(16, int), np.ones(16, np.float32)

    specs = (tf.TensorSpec((16, 4), tf.float32), tf.TensorSpec((16,), tf.int64), tf.TensorSpec((16,), tf.float32))
    model = small_model()
    estimate_statistics(
        model, trained_normalizations(model), tf.data.Dataset.from_generator(endless, output_signature=specs)
    )
    assert ESTIMATE_BATCHES <= len(read) <= ESTIMATE_BATCHES + 2
    kernel, bias = model.get_layer("dense").get_weights()
    expected = np.full(4, (ESTIMATE_BATCHES + 1) / 2) @ kernel + bias
    np.testing.assert_allclose(model.get_layer("norm").moving_mean.numpy(), expected, rtol=1e-4)


def test_frozen_normalisation_is_not_estimated():
    model = small_model()
    model.get_layer("norm").trainable = False
    assert trained_normalizations(model) == []


def configuration(phantoms, folder, **options):
    places = {"runs_dir": str(folder), "cache_dir": str(folder / "cache")}
    given = {"arch": "shallow-cnn", "mode": "scratch", "data": str(phantoms), "image_size": 32, "export": False}
    return TrainConfig(**given, **places, **options)


@pytest.mark.slow
def test_training_that_only_gets_worse_keeps_the_starting_weights(phantoms, tmp_path, bare, monkeypatch):
    worth = iter((0.1, 0.2, 0.3))
    measure = Validator.measure
    monkeypatch.setattr(Validator, "measure", lambda self: measure(self) | {"val_loss": next(worth)})
    run = train(configuration(phantoms, tmp_path, epochs=2, learning_rate=9.0, name="worse"))
    history = pd.read_csv(run.path / "history.csv")
    assert history["epoch"].tolist() == [0, 1, 2] and np.isnan(history["loss"][0])
    assert run.record["best_epoch"] == 0
    kernel = keras.models.load_model(run.path / "model.keras").get_layer("block1_conv").get_weights()[0]
    assert np.abs(kernel).max() < 1.0, "a step of this rate is larger"


@pytest.mark.slow
def test_the_epoch_that_is_judged_is_the_one_that_is_kept(phantoms, tmp_path, bare):
    run = train(configuration(phantoms, tmp_path, epochs=3, name="kept", class_weights="none"))
    history = pd.read_csv(run.path / "history.csv")
    validation = pd.read_csv(run.path / "predictions.csv").query("split == 'val'")
    difference = validation["logit_PNEUMONIA"] - validation["logit_NORMAL"]
    auroc = roc_auc_score(validation["y_true"] == "PNEUMONIA", difference)
    kept = history.loc[history["val_loss"].idxmin()]  # too few images for a calibration
    assert kept["val_auroc"] == pytest.approx(auroc, abs=1e-6)
