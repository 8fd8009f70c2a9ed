"""What every explanation method keeps to, on every architecture; and that a new one takes a row and a file."""

import functools

import cv2
import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from medxray.cli.explain import explain
from medxray.explain.maps import fixed_target
from medxray.explain.methods import ENGINES, GRADCAM, METHODS, Method, MethodOption
from medxray.models.inference import trunk
from medxray.models.registry import ARCHITECTURES
from tests.contracts.dummy_explainer import brightness_graph
from tests.fixtures.architectures import architectures, map_rounding, with_signal

SIZE, COUNT = 64, 3
SMALL = {  # options that keep the methods of many passes short; the others have their defaults
    "scorecam": {"channels": 4},
    "smoothgrad": {"samples": 2},
    "integrated-gradients": {"steps": 2},
    "rise": {"masks": 6, "cells": 3},
}


KINDS = ("efficientnet-lite0",)  # depthwise convolutions, and branches that are added


def pairs(rows):
    """Parameters: each row on each architecture. Only Grad-CAM is fast on all of them, the others on KINDS."""
    return [
        pytest.param(row, *one.values, id=f"{row.name}-{one.id}", marks=[*one.marks, *slow])
        for one in architectures()
        for row in rows
        for slow in ([] if row.name == GRADCAM or one.id in KINDS else [pytest.mark.slow],)
    ]


@pytest.fixture(scope="module")
def built_last(classifier_of, pixels):
    """Function name -> the classifier of an architecture; the last ones are not built again."""
    return functools.lru_cache(12)(
        lambda name: with_signal(classifier_of(name, size=SIZE, channels=1, classes=2), pixels)
    )


@pytest.fixture(scope="module")
def classifier(request, built_last):
    return request.param.name, built_last(request.param.name)


@pytest.fixture(scope="module")
def pixels():
    """Smooth pictures, the last one black."""
    found = np.random.default_rng(4).uniform(0, 255, (COUNT, 8, 8)).astype(np.float32)
    large = np.stack([cv2.resize(one, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for one in found]).clip(0, 255)
    large[-1] = 0
    return tf.constant(large[..., None])


def built(row, classifier):
    name, model = classifier
    layer = ARCHITECTURES[name].heat_layer if row.needs_layer else None
    return row.build(model, layer, **row.chosen_options(SMALL.get(row.name, {})))


@pytest.fixture(scope="module")
def explained(classifier, pixels):
    """Function row -> (what it builds, what that says of all pixels)."""

    @functools.cache
    def answer(row):
        explain_images = built(row, classifier)
        return explain_images, explain_images(pixels, second)

    return answer


def second(logits):
    return tf.ones(tf.shape(logits)[:1], tf.int32)


each_row = pytest.mark.parametrize("row", METHODS.values(), ids=METHODS)


def each_pair(rows):
    """Tests of one pair stand together, so that they share what is built for it."""
    return pytest.mark.parametrize(("row", "classifier"), pairs(rows), indirect=["classifier"], scope="module")


each_method_on_each = each_pair(METHODS.values())


@each_method_on_each
def test_maps_have_the_layers_shape_and_a_range_from_0_to_1_and_logits_are_the_models(
    row, classifier, explained, pixels
):
    name, model = classifier
    maps, logits, pooled = explained(row)[1]
    assert maps.dtype == tf.float32 and maps.shape[0] == COUNT and len(maps.shape) == 3
    if row.needs_layer:
        assert maps.shape[1:] == model.get_layer(ARCHITECTURES[name].heat_layer).output.shape[1:3]
    assert np.isfinite(maps).all() and np.min(maps) >= 0 and np.max(maps) <= 1
    expected_logits, expected_pooled = trunk(model)(pixels, training=False)
    np.testing.assert_allclose(logits, expected_logits, rtol=1e-3, atol=map_rounding(name))
    np.testing.assert_allclose(pooled, expected_pooled, rtol=1e-3, atol=map_rounding(name))


@pytest.mark.slow
@each_method_on_each
def test_an_explanation_does_not_depend_on_the_other_images_of_the_batch(row, explained, pixels):
    explain_images, together = explained(row)
    for number in range(COUNT):
        alone = explain_images(pixels[number : number + 1], second).maps
        np.testing.assert_allclose(together.maps[number], alone[0], atol=1e-3)


@each_method_on_each
def test_a_class_that_no_image_speaks_for_has_a_map_of_0(row, classifier, explained, pixels):
    """With all weights of the head 0 nothing depends on the image: every map is constant."""
    _, model = classifier
    head = model.get_layer("logits")
    before = head.get_weights()
    head.set_weights([np.zeros_like(weight) for weight in before])
    try:
        maps = explained(row)[0](pixels, second).maps
    finally:
        head.set_weights(before)
    np.testing.assert_array_equal(maps, np.zeros(maps.shape))


@pytest.fixture(scope="module")
def small_classifier(classifier_of):
    return "shallow-cnn", classifier_of("shallow-cnn", size=SIZE, channels=1, classes=2)


@each_row
def test_one_compiled_graph_serves_batches_of_any_size(row, small_classifier, pixels):
    explain_images = built(row, small_classifier)
    images = tf.TensorSpec((None, *pixels.shape[1:]), tf.float32)
    graph = tf.function(lambda some: explain_images(some, second), input_signature=[images])
    expected = explain_images(pixels, second).maps
    for count in (COUNT, 1):
        np.testing.assert_allclose(graph(pixels[:count]).maps, expected[:count], atol=1e-3)
    assert graph.experimental_get_tracing_count() == 1


@each_row
def test_a_model_of_low_precision_has_maps_of_float32(row, classifier_of, pixels):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = classifier_of("shallow-cnn", size=SIZE, channels=1, classes=2)
    finally:
        keras.config.set_dtype_policy(before)
    explain_images, highest = built(row, ("shallow-cnn", model)), []
    for target in (fixed_target(0), second):  # a place that speaks against one class speaks for the other
        maps, logits, pooled = explain_images(pixels, target)
        assert maps.dtype == logits.dtype == pooled.dtype == tf.float32 and np.isfinite(maps).all()
        highest.append(np.max(maps))
    assert max(highest) > 0.5


@each_pair([row for row in METHODS.values() if row.reference])
def test_a_method_agrees_with_its_reference_by_tf_keras_vis(row, classifier, explained, pixels):
    name, model = classifier
    ours = explained(row)[1]
    theirs = row.reference(model, ARCHITECTURES[name].heat_layer)(pixels, second)
    np.testing.assert_allclose(ours.maps, theirs.maps, atol=map_rounding(name))
    np.testing.assert_allclose(ours.logits, theirs.logits, rtol=1e-3, atol=map_rounding(name))


@each_row
def test_every_row_says_what_it_is(row):
    assert METHODS[row.name] is row and row.title and row.about and row.source
    assert row.builder(ENGINES[0]) is row.build
    assert row.chosen_options({}) == {option.name: option.default for option in row.options}


@pytest.fixture
def dummy(monkeypatch):
    """The table with one more row."""
    row = Method(
        name="brightness",
        title="Brightness",
        about="where the image is bright",
        source="none",
        needs_layer=False,
        build=brightness_graph,
        options=(MethodOption("power", 1.0, "exponent of the brightness"),),
    )
    monkeypatch.setitem(METHODS, row.name, row)


def call(run, *words):
    return CliRunner().invoke(explain, ["maps", "--model", str(run.path), *map(str, words)], catch_exceptions=True)


def test_a_new_method_takes_one_row_and_one_file_to_explain_through_the_command_line(
    dummy, binary_run, image_files, tmp_path
):
    files = image_files(binary_run)[:2]
    answer = call(binary_run, *files, "--method", "brightness", "--set", "power=2", "--raw", "--out", tmp_path / "out")
    assert answer.exit_code == 0, answer.output
    assert len(answer.stdout.splitlines()) == 4
    with np.load(tmp_path / "out" / f"{files[0].stem}-PNEUMONIA.npz", allow_pickle=False) as stored:
        means = stored["image"][..., 0].astype(float).reshape(2, 32, 2, 32).mean(axis=(1, 3)) ** 2
        expected = (means - means.min()) / np.ptp(means)
        np.testing.assert_allclose(stored["heatmap_layer"], expected, atol=1e-4)
        assert str(stored["layer"]) == ""
    plain = binary_run.explain(files, method="brightness")[0][0]
    assert plain.method == "brightness" and plain.layer is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "power=bright"], "power of brightness must be of type float. Received 'bright'"),
        (["--set", "size=2"], "brightness has these options: power. Received 'size'"),
        (["--layer", "block1_pool"], "--layer is for methods that look at a layer; brightness does not."),
    ],
)
def test_options_that_a_method_does_not_have_are_refused(dummy, binary_run, image_files, words, message):
    answer = call(binary_run, image_files(binary_run)[0], "--method", "brightness", *words)
    assert message in str(answer.exception)


def test_without_a_name_the_method_is_one_that_passed_on_the_run(binary_run, image_files, tmp_path, monkeypatch):
    verdicts = {GRADCAM: False, "saliency": True}
    monkeypatch.setattr("medxray.explain.checks.usual_method.stored_verdicts", lambda run: verdicts)
    image, layers = image_files(binary_run)[0], []
    for folder, words in ((tmp_path / "unnamed", []), (tmp_path / "named", ["--method", GRADCAM])):
        answer = call(binary_run, image, *words, "--raw", "--out", folder)
        assert answer.exit_code == 0, answer.output
        with np.load(folder / f"{image.stem}-PNEUMONIA.npz", allow_pickle=False) as stored:
            layers.append(str(stored["layer"]))
    assert layers[0] == "" and layers[1]  # saliency looks at no layer


def test_a_setting_without_a_value_is_a_usage_error(binary_run, image_files):
    answer = call(binary_run, image_files(binary_run)[0], "--method", GRADCAM, "--set", "power")
    assert answer.exit_code == 2 and "--set must be NAME=VALUE" in answer.stderr
