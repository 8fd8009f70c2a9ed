import numpy as np
import pytest
import tensorflow as tf

from medxray.data.images.files import ImageBytes
from medxray.errors import ConfigError, DataError
from medxray.explain.explainer import ExplainRequest
from medxray.explain.heatmaps import layer_table
from medxray.explain.keras_vis import gradcam
from medxray.explain.maps import upsample
from medxray.models.inference import trunk


@pytest.fixture(scope="module")
def binary(binary_run, image_files):
    return binary_run.explain(image_files(binary_run))[0]


def test_heatmaps_are_those_of_tf_keras_vis_at_both_resolutions(binary_run, binary):
    pixels = np.stack([heatmap.image for heatmap in binary])
    maps = gradcam(binary_run.model, pixels, [1] * 6, layer="block3_relu")
    for heatmap, expected, large in zip(binary, maps, upsample(maps, (64, 64)).numpy(), strict=True):
        assert (heatmap.target, heatmap.layer) == ("PNEUMONIA", "block3_relu")
        np.testing.assert_allclose(heatmap.heatmap_layer, expected, atol=1e-5)
        np.testing.assert_allclose(heatmap.heatmap, large, atol=1e-5)


def test_probability_and_label_are_those_of_predict(binary_run, image_files, binary):
    table = binary_run.predict(image_files(binary_run))
    assert [heatmap.label for heatmap in binary] == table["label"].tolist()
    assert {"NORMAL", "PNEUMONIA"} == set(table["label"])
    np.testing.assert_allclose([heatmap.probability for heatmap in binary], table["probability"], atol=1e-5)


def test_of_three_classes_the_predicted_one_is_explained_unless_one_is_named(subtype_run, image_files):
    files = image_files(subtype_run)
    by_rule, _ = subtype_run.explain(files)
    assert [heatmap.target for heatmap in by_rule] == subtype_run.predict(files)["label"].tolist()
    other = next(name for name in subtype_run.classes if name != by_rule[0].target)
    named, _ = subtype_run.explain(files, target=other)
    assert {heatmap.target for heatmap in named} == {other}
    assert named[0].label == by_rule[0].label
    assert named[0].probability == pytest.approx(by_rule[0].probabilities[subtype_run.classes.index(other)], abs=1e-5)
    assert np.abs(named[0].heatmap_layer - by_rule[0].heatmap_layer).max() > 0.1


def test_another_layer_gives_its_own_resolution(binary_run, image_files):
    (heatmap,), _ = binary_run.explain(image_files(binary_run)[:1], layer="block1_pool")
    assert heatmap.heatmap_layer.shape == (32, 32) and heatmap.heatmap.shape == (64, 64)


def test_unreadable_files_are_returned_with_reasons_and_the_others_explained(binary_run, image_files, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no image")
    good = image_files(binary_run)[0]
    heatmaps, failures = binary_run.explain([text, good, tmp_path / "missing.png"])
    assert [heatmap.file for heatmap in heatmaps] == [good]
    assert set(failures) == {str(text), str(tmp_path / "missing.png")} and all(failures.values())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"target": "COVID"}, "--class must be one of NORMAL, PNEUMONIA. Received 'COVID'"),
        ({"layer": "nowhere"}, "Layer 'nowhere' does not exist in shallow-cnn"),
        ({"method": "guess"}, "--method must be one of gradcam, .*, rise. Received 'guess'"),
        ({"engine": "torch"}, "--engine of gradcam must be one of compiled, tf-keras-vis. Received 'torch'"),
        ({"options": (("patch", "3"),)}, "gradcam has these options: none. Received 'patch'"),
    ],
)
def test_impossible_requests_are_refused_before_images_are_read(binary_run, request_, message):
    with pytest.raises(ConfigError, match=message):
        binary_run.explain(["does-not-exist.png"], **request_)


def test_an_empty_folder_is_an_error(binary_run, tmp_path):
    with pytest.raises(DataError, match="holds no image"):
        binary_run.explain([tmp_path])


def test_boxes_are_where_the_pipeline_put_the_image(binary):
    for heatmap in binary:
        top, left, height, width = heatmap.box
        outside = np.ones((64, 64), bool)
        outside[top : top + height, left : left + width] = False
        assert not heatmap.image[outside].any()
        assert heatmap.image[top : top + height, left : left + width].any()
    assert {heatmap.box for heatmap in binary} >= {(12, 0, 40, 64), (0, 20, 64, 24)}


def test_stretched_images_fill_the_input(subtype_run, image_files):
    (heatmap,), _ = subtype_run.explain(image_files(subtype_run)[:1])
    assert heatmap.box == (0, 0, 32, 32)


def test_layer_table_marks_the_default(binary_run):
    table = layer_table(binary_run)
    assert ("block1_pool", 32, 32, False) in table
    assert [entry for entry in table if entry[3]] == [("block3_relu", 16, 16, True)]


def test_tf_keras_vis_explains_the_same_as_the_compiled_method(binary_run, image_files, binary):
    by_library, _ = binary_run.explain(image_files(binary_run), engine="tf-keras-vis")
    for ours, theirs in zip(binary, by_library, strict=True):
        np.testing.assert_allclose(ours.heatmap_layer, theirs.heatmap_layer, atol=1e-5)
        np.testing.assert_allclose(ours.probabilities, theirs.probabilities, atol=1e-6)


def test_bytes_are_explained_like_their_files(binary_run, image_files, binary):
    in_memory = [ImageBytes(file.name, file.read_bytes()) for file in image_files(binary_run)]
    found, failures = binary_run.explain([*in_memory, b"no image"])
    assert failures == {"image-7": "not an image (PNG, JPEG, BMP, TIFF, DICOM, WebP, GIF, JPEG 2000 or AVIF)"}
    for ours, theirs in zip(found, binary, strict=True):
        np.testing.assert_array_equal(ours.image, theirs.image)
        np.testing.assert_allclose(ours.heatmap_layer, theirs.heatmap_layer, atol=1e-6)
        assert (ours.box, ours.file.name, ours.true_label) == (theirs.box, theirs.file.name, None)


def test_one_graph_explains_images_of_every_size_and_batches_of_any_length(binary_run, image_files):
    binary_run.explain(image_files(binary_run)[:1])
    binary_run.explain(image_files(binary_run))
    explainer = binary_run.explainer(ExplainRequest())
    assert explainer is binary_run.explainer(ExplainRequest())
    assert explainer.experimental_get_tracing_count() == 1


def test_one_forward_pass_gives_map_logits_and_what_the_gate_judges(binary_run, image_files):
    pixels = tf.constant(binary_run.form.read_inputs(image_files(binary_run)[:2]).pixels, tf.float32)
    _, logits, pooled, targets = binary_run.explainer(ExplainRequest())(pixels)
    expected_logits, expected_pooled = trunk(binary_run.model)(pixels, training=False)
    np.testing.assert_allclose(logits, expected_logits, atol=1e-5)
    np.testing.assert_allclose(pooled, expected_pooled, atol=1e-5)
    assert targets.numpy().tolist() == [1, 1]
    graph = binary_run.explainer(ExplainRequest()).get_concrete_function().graph
    forward = [op for op in graph.get_operations() if op.type == "Conv2D"]
    assert len(forward) == sum("Conv2D" in type(layer).__name__ for layer in binary_run.model.layers)


def test_the_case_of_the_class_makes_no_difference(binary_run, image_files):
    file = image_files(binary_run)[0]
    (named,), _ = binary_run.explain([file], target="normal")
    assert named.target == "NORMAL"
