"""What a gate refuses, and the reason it gives."""

import numpy as np
import pytest
import tensorflow as tf

from medxray.gate.graph import Distance, GateGraph, measure
from medxray.gate.parts import DESCRIBED, DIMENSIONS
from medxray.gate.statistics import describe


@pytest.fixture(scope="module")
def judge(gate, features):
    """Function images -> (scores, accepted, reasons)."""
    graph = GateGraph(gate)

    def call(images, pooled=None):
        answer = graph(tf.constant(images, tf.float32), features(images) if pooled is None else pooled)
        return (
            answer["gate_score"].numpy(),
            answer["in_distribution"].numpy(),
            [reason.decode() for reason in answer["gate_reason"].numpy()],
        )

    return call


@pytest.fixture(scope="module")
def new(chests):
    """Sixty pictures that the gate has not seen."""
    return chests(60, 9)


def test_new_images_of_the_kind_are_accepted_without_a_reason(judge, new):
    scores, accepted, reasons = judge(new)
    assert accepted.mean() > 0.93
    np.testing.assert_array_equal(accepted, scores <= 1)
    assert all((reason == "") == good for reason, good in zip(reasons, accepted, strict=True))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda images: 255 - images, "looks inverted"),
        (lambda images: images[:, ::-1], "looks upside down"),
        (lambda images: images[:, ::-1, ::-1], "looks upside down"),
        (lambda images: np.rot90(images, 1, (1, 2)), "looks rotated by 90 degrees"),
        (lambda images: np.rot90(images, 3, (1, 2)), "looks rotated by 90 degrees"),
        (lambda images: 255 - images[:, ::-1], "looks inverted and upside down"),
        (lambda images: 255 - np.rot90(images, 1, (1, 2)), "looks inverted and rotated by 90 degrees"),
        (lambda images: 255 - np.rot90(images, 3, (1, 2)), "looks inverted and rotated by 90 degrees"),
    ],
)
def test_a_changed_image_is_refused_with_the_change_named(judge, new, change, reason):
    scores, accepted, reasons = judge(change(new))
    assert not accepted.any() and (scores > 1).all()
    assert reasons.count(reason) >= 0.95 * len(new)


@pytest.mark.parametrize("kind", ["noise", "black", "white", "ramp", "stripes", "blocks"])
def test_what_is_no_picture_of_the_kind_is_refused(judge, kind):
    rng = np.random.default_rng(0)
    ramp = np.broadcast_to(np.linspace(0, 255, 64)[:, None], (64, 64))
    image = {
        "noise": rng.integers(0, 256, (64, 64)),
        "black": np.zeros((64, 64)),
        "white": np.full((64, 64), 255),
        "ramp": ramp,
        "stripes": np.where(np.arange(64) % 8 < 4, 30, 220)[:, None] * np.ones((1, 64)),
        "blocks": np.kron(rng.integers(0, 256, (8, 8)), np.ones((8, 8))),
    }[kind]
    score, accepted, reason = judge(image[None, ..., None])
    assert not accepted[0] and score[0] > 1 and reason[0]


def test_features_alone_can_refuse(judge, new, features):
    pooled = features(new[:1]) + 3
    assert judge(new[:1], pooled)[2] == ["unusual features"]


def test_features_that_are_not_numbers_are_refused(judge, new):
    scores, accepted, _ = judge(new[:1], np.full((1, 6), np.nan, np.float32))
    assert not accepted[0]


def test_the_score_is_the_largest_scaled_part(gate, judge, new, features):
    distances = [Distance(getattr(gate, name)) for name in DESCRIBED]
    images = tf.constant(new, tf.float32)
    values, turns = measure(distances, *describe(images), features(new))
    np.testing.assert_allclose(judge(new)[0], (values.numpy() / gate.scales).max(axis=1), rtol=1e-5)
    layout = describe(images)[0].numpy()
    by_hand = np.sqrt((((layout - gate.layout.mean) @ gate.layout.whitening) ** 2).mean(axis=1))
    np.testing.assert_allclose(turns[:, 0], by_hand, rtol=1e-4)
    flipped = layout.reshape(-1, 16, 16)[:, ::-1].reshape(-1, 256)
    by_hand = np.sqrt((((flipped - gate.layout.mean) @ gate.layout.whitening) ** 2).mean(axis=1))
    np.testing.assert_allclose(turns[:, 1], by_hand, rtol=1e-4)


def test_descriptions_have_the_dimensions_that_a_stored_gate_must_have(new):
    parts = describe(tf.constant(new[:1], tf.float32))._asdict()
    assert {name: rows.shape[1] for name, rows in parts.items()} == DIMENSIONS


def test_the_graph_survives_a_saved_model(gate, judge, new, features, tmp_path):
    module = GateGraph(gate)
    images = tf.TensorSpec((None, 64, 64, 1), tf.float32)
    module.judge = tf.function(module, input_signature=[images, tf.TensorSpec((None, 6), tf.float32)])
    tf.saved_model.save(module, str(tmp_path / "gate"))
    loaded = tf.saved_model.load(str(tmp_path / "gate"))
    answer = loaded.judge(tf.constant(new, tf.float32), features(new))
    np.testing.assert_allclose(answer["gate_score"], judge(new)[0], rtol=1e-5)
