import numpy as np
import pytest
import tensorflow as tf

from medxray.data.images import decode
from medxray.errors import ConfigError, DataError
from medxray.explain.gradcam import gradcam, upsample
from medxray.explain.heatmaps import heatmaps_for, layer_table
from medxray.explain.originals import image_box, read_original


@pytest.fixture(scope="module")
def binary(binary_run, image_files):
    return heatmaps_for(binary_run, image_files(binary_run))[0]


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
    by_rule, _ = heatmaps_for(subtype_run, files)
    assert [heatmap.target for heatmap in by_rule] == subtype_run.predict(files)["label"].tolist()
    other = next(name for name in subtype_run.classes if name != by_rule[0].target)
    named, _ = heatmaps_for(subtype_run, files, target=other)
    assert {heatmap.target for heatmap in named} == {other}
    assert named[0].label == by_rule[0].label
    assert named[0].probability == pytest.approx(by_rule[0].probabilities[subtype_run.classes.index(other)], abs=1e-5)
    assert np.abs(named[0].heatmap_layer - by_rule[0].heatmap_layer).max() > 0.1


def test_another_layer_gives_its_own_resolution(binary_run, image_files):
    (heatmap,), _ = heatmaps_for(binary_run, image_files(binary_run)[:1], layer="block1_pool")
    assert heatmap.heatmap_layer.shape == (32, 32) and heatmap.heatmap.shape == (64, 64)


def test_unreadable_files_are_returned_with_reasons_and_the_others_explained(binary_run, image_files, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("no image")
    good = image_files(binary_run)[0]
    heatmaps, failures = heatmaps_for(binary_run, [text, good, tmp_path / "missing.png"])
    assert [heatmap.file for heatmap in heatmaps] == [good]
    assert set(failures) == {str(text), str(tmp_path / "missing.png")} and all(failures.values())


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"target": "COVID"}, "--class must be one of NORMAL, PNEUMONIA. Received 'COVID'"),
        ({"layer": "nowhere"}, "Layer 'nowhere' does not exist in shallow-cnn"),
    ],
)
def test_impossible_requests_are_refused_before_images_are_read(binary_run, request_, message):
    with pytest.raises(ConfigError, match=message):
        heatmaps_for(binary_run, ["does-not-exist.png"], **request_)


def test_an_empty_folder_is_an_error(binary_run, tmp_path):
    with pytest.raises(DataError, match="holds no image"):
        heatmaps_for(binary_run, [tmp_path])


def test_boxes_are_where_the_pipeline_put_the_image(binary):
    for heatmap in binary:
        top, left, height, width = heatmap.box
        outside = np.ones((64, 64), bool)
        outside[top : top + height, left : left + width] = False
        assert not heatmap.image[outside].any()
        assert heatmap.image[top : top + height, left : left + width].any()
    assert {heatmap.box for heatmap in binary} >= {(12, 0, 40, 64), (0, 20, 64, 24)}


def test_stretched_images_fill_the_input(subtype_run, image_files):
    (heatmap,), _ = heatmaps_for(subtype_run, image_files(subtype_run)[:1])
    assert heatmap.box == (0, 0, 32, 32)


def test_box_is_exact_for_jpegs_decoded_at_reduced_scale(tmp_path):
    file = tmp_path / "large.jpeg"
    file.write_bytes(tf.io.encode_jpeg(tf.zeros((1233, 1679, 1), tf.uint8)).numpy())
    decoded = decode.decode(tf.constant(file.read_bytes()), (64, 64), 1)
    assert decoded.shape[0] < 200
    expected = tuple(int(edge) for edge in decode.letterbox_box(tf.shape(decoded)[:2], (64, 64)))
    assert image_box(file, (64, 64), "letterbox") == expected


def test_originals_keep_their_aspect_ratio_and_are_not_larger_than_needed(tmp_path, binary_run, image_files):
    file = tmp_path / "large.png"
    file.write_bytes(tf.io.encode_png(tf.zeros((400, 2048, 1), tf.uint8)).numpy())
    assert read_original(file, 1).shape == (200, 1024, 1)
    assert read_original(image_files(binary_run)[0], 3).shape[2] == 3


def test_layer_table_marks_the_default(binary_run):
    table = layer_table(binary_run)
    assert ("block1_pool", 32, 32, False) in table
    assert [entry for entry in table if entry[3]] == [("block3_relu", 16, 16, True)]
