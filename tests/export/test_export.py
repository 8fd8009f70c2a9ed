import json
import logging
import re
import shutil

import cv2
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from click.testing import CliRunner

from medxray.api import load_run
from medxray.cli.export import export as export_command
from medxray.errors import ConfigError, RunError, StorageError
from medxray.export import export_model, parity
from medxray.export.assets import write_assets
from medxray.export.explanations import served_requests
from medxray.export.parity import check_parity
from medxray.export.samples import run_files, sample_files
from medxray.export.serving import Serving, serving_of
from medxray.models.registry import ARCHITECTURES


@pytest.fixture(scope="module")
def binary_loaded(binary_export):
    return tf.saved_model.load(str(binary_export.path))


@pytest.fixture(scope="module")
def subtype_export(subtype_run, tmp_path_factory):
    return export_model(subtype_run, tmp_path_factory.mktemp("export") / "subtype")


def content_of(files):
    return tf.constant([file.read_bytes() for file in files])


def interface(signature):
    (_, inputs), outputs = signature.structured_input_signature, signature.structured_outputs
    return [
        {name: (spec.dtype.name, spec.shape.as_list()) for name, spec in part.items()} for part in (inputs, outputs)
    ]


def test_four_signatures_have_the_documented_names_types_and_shapes(binary_loaded):
    answers = {
        "probabilities": ("float32", [None, 2]),
        "raw_probabilities": ("float32", [None, 2]),
        "label": ("string", [None]),
    }
    content = {"image_bytes": ("string", [None])}
    heat = {"heatmap": ("float32", [None, 64, 64]), "probabilities": ("float32", [None, 2])}
    assert {name: interface(signature) for name, signature in binary_loaded.signatures.items()} == {
        "serving_default": [{"images": ("float32", [None, 64, 64, 1])}, answers],
        "serve_bytes": [content, answers],
        "embed": [content, {"embedding": ("float32", [None, 64])}],
        "gradcam": [content, heat],
    }


def test_serve_bytes_equals_predict_on_every_native_format(binary_run, binary_loaded, image_files):
    files = image_files(binary_run)
    assert {file.suffix for file in files} == {".jpeg", ".jpg", ".png", ".bmp"}
    answer = binary_loaded.signatures["serve_bytes"](content_of(files))
    table = binary_run.predict(files)
    np.testing.assert_allclose(answer["probabilities"][:, 1], table["probability"], atol=1e-4)
    np.testing.assert_allclose(answer["raw_probabilities"][:, 1], table["raw_probability"], atol=1e-4)
    assert [label.decode() for label in answer["label"].numpy()] == table["label"].tolist()
    assert {"NORMAL", "PNEUMONIA"} == set(table["label"])
    assert np.abs(answer["probabilities"] - answer["raw_probabilities"]).max() > 1e-3  # the calibration is at work


def test_serving_default_takes_pixels_as_the_pipeline_makes_them(binary_run, binary_loaded, image_files):
    files, pixels, _ = binary_run.form.read_inputs(image_files(binary_run))
    answer = binary_loaded.signatures["serving_default"](tf.constant(pixels, tf.float32))
    np.testing.assert_allclose(answer["probabilities"][:, 1], binary_run.predict(files)["probability"], atol=1e-4)


def test_gradcam_and_embed_equal_the_run(binary_run, binary_loaded, image_files):
    files = image_files(binary_run)
    heatmaps, _ = binary_run.gradcam(files)
    answer = binary_loaded.signatures["gradcam"](content_of(files))
    np.testing.assert_allclose(answer["heatmap"], [heatmap.heatmap for heatmap in heatmaps], atol=1e-4)
    np.testing.assert_allclose(answer["probabilities"][:, 1], [heatmap.probability for heatmap in heatmaps], atol=1e-4)
    one_by_one = [binary_loaded.signatures["embed"](content_of([file]))["embedding"][0] for file in files]
    together = binary_loaded.signatures["embed"](content_of(files))["embedding"]
    np.testing.assert_allclose(together, one_by_one, atol=1e-4)


def test_three_classes_are_decided_and_explained_by_the_most_probable(subtype_run, subtype_export, image_files):
    loaded, files = tf.saved_model.load(str(subtype_export.path)), image_files(subtype_run)
    answer, table = loaded.signatures["serve_bytes"](content_of(files)), subtype_run.predict(files)
    assert [label.decode() for label in answer["label"].numpy()] == table["label"].tolist()
    expected = table[[f"probability_{name}" for name in subtype_run.classes]]
    np.testing.assert_allclose(answer["probabilities"], expected, atol=1e-4)
    heatmaps, _ = subtype_run.gradcam(files)
    heat = loaded.signatures["gradcam"](content_of(files))["heatmap"]
    np.testing.assert_allclose(heat, [heatmap.heatmap for heatmap in heatmaps], atol=1e-4)


def test_garbage_bytes_fail_as_documented(binary_loaded, binary_run, image_files):
    good = image_files(binary_run)[0].read_bytes()
    for bad in (b"garbage", b"", good[: len(good) // 2]):
        with pytest.raises(tf.errors.InvalidArgumentError):
            binary_loaded.signatures["serve_bytes"](tf.constant([good, bad]))


def test_assets_tell_programs_and_people_what_the_model_is(binary_run, binary_export, subtype_export):
    extra = binary_export.path / "assets.extra"
    facts = json.loads((extra / "classes.json").read_text())
    assert facts["classes"] == ["NORMAL", "PNEUMONIA"] and facts["positive"] == "PNEUMONIA"
    point = binary_run.decision.threshold
    stated = {"value": point.value, "rule": "youden", "chosen_on": "val", "log_odds": point.log_odds}
    assert facts["threshold"] == stated
    assert (facts["temperature"], facts["bias"]) == (0.2, [0.0, 0.3])
    assert facts["input"] == {"height": 64, "width": 64, "channels": 1, "range": [0, 255]}
    assert (facts["resize"], facts["arch"], facts["heat_layer"]) == ("letterbox", "shallow-cnn", "block3_relu")
    assert facts["explanations"] == {"gradcam": {"layer": "block3_relu", "options": {}}}
    assert facts["versions"]["tensorflow"] == tf.__version__
    assert (extra / "model_card.md").read_text() == (binary_run.path / "model_card.md").read_text()
    facts = json.loads((subtype_export.path / "assets.extra/classes.json").read_text())
    assert facts["threshold"] is None and facts["positive"] is None


def test_parity_is_measured_and_small(binary_export):
    names = {"serving_default", "serve_bytes", "label", "embed", "gradcam_layer", "gradcam"}
    assert set(binary_export.parity) == names
    assert all(0 <= difference <= 1e-4 for difference in binary_export.parity.values())
    assert binary_export.checked_on == "4 images of the run"


def test_command_prints_the_folder_alone_and_takes_the_next_number(binary_run, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    expected = tmp_path / "saved_models" / binary_run.name
    (expected / "3").mkdir(parents=True)
    (expected / "notes").mkdir()
    result = CliRunner().invoke(export_command, [str(binary_run.path)])
    assert result.exit_code == 0, result.output
    assert result.stdout == f"saved_models/{binary_run.name}/4\n"
    assert capfd.readouterr().out == ""  # nor does anything below Python write there
    assert (expected / "4" / "saved_model.pb").is_file()
    assert sorted(entry.name for entry in expected.iterdir()) == ["3", "4", "notes"]


@pytest.mark.slow
def test_command_exports_the_explanations_that_are_asked_for_with_their_options(binary_run, tmp_path):
    words = ["--to", str(tmp_path / "m"), "--explain", "occlusion,cam", "--set", "stride=20", "--set", "fill=zero"]
    result = CliRunner().invoke(export_command, [str(binary_run.path), *words])
    assert result.exit_code == 0, result.output
    folder = tmp_path / "m" / "1"
    assert set(tf.saved_model.load(str(folder)).signatures) == {*Serving.NAMES, "occlusion", "cam"}
    facts = json.loads((folder / "assets.extra/classes.json").read_text())
    options = {"patch": 32, "stride": 20, "fill": "zero", "coarse": 0, "sizes": 2}
    assert facts["explanations"] == {
        "occlusion": {"layer": None, "options": options},
        "cam": {"layer": None, "options": {}},
    }
    assert facts["heat_layer"] is None


@pytest.mark.slow
def test_each_explanation_is_compared_with_the_command_at_export(binary_run, tmp_path):
    result = export_model(binary_run, tmp_path / "m", methods="layercam,scorecam", options=(("channels", 4),))
    compared = set(result.parity) - {"serving_default", "serve_bytes", "label", "embed"}
    assert compared == {"layercam", "scorecam"} and max(result.parity.values()) <= 1e-4


@pytest.mark.parametrize(
    ("methods", "options", "message"),
    [
        ("gradcam,rise", (), "An exported graph can hold gradcam, .* Received 'rise'"),
        ("gradcan", (), "Received 'gradcan'. Did you mean 'gradcam'"),
        ("lime", (), "An exported graph can hold gradcam, .* Received 'lime'"),
        ("gradcam", (("patch", "3"),), "gradcam has these options: none. Received 'patch'"),
        ("occlusion", (("patch", "65"),), "patch of occlusion must be at most 64"),
    ],
)
def test_explanations_that_cannot_be_exported_are_refused_before_anything_is_written(
    binary_run, tmp_path, methods, options, message
):
    with pytest.raises(ConfigError, match=message):
        export_model(binary_run, tmp_path / "m", methods=methods, options=options)
    assert not (tmp_path / "m").exists()


def test_an_explanation_that_differs_from_the_command_is_refused(binary_run, tmp_path, monkeypatch):
    explainer = binary_run.explainer

    def turned(request):
        return lambda images: [tf.reverse(explainer(request)(images)[0], [1])]

    monkeypatch.setattr(binary_run, "explainer", turned, raising=False)
    with pytest.raises(RunError, match="Received differences: occlusion"):
        export_model(binary_run, tmp_path / "m", methods="occlusion")


def test_a_graph_that_differs_from_the_model_is_refused_and_the_signatures_are_named(
    binary_run, binary_export, image_files
):
    weights = binary_run.model.get_weights()
    try:
        binary_run.model.set_weights([np.roll(weight, 1, axis=-1) for weight in weights])
        with pytest.raises(RunError, match=r"must agree with the model to 1e-04.*serve_bytes.*embed.*gradcam_layer"):
            check_parity(binary_run, binary_export.path, image_files(binary_run), served_requests(binary_run))
    finally:
        binary_run.model.set_weights(weights)


def test_after_a_failed_check_nothing_is_left(binary_run, tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "TOLERANCE", -1.0)
    with pytest.raises(RunError, match="Nothing was exported"):
        export_model(binary_run, tmp_path / "models" / "m")
    assert not (tmp_path / "models" / "m").exists()


def test_full_disk_is_a_storage_error_and_leaves_nothing(binary_run, tmp_path):
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # the weights have more bytes
    try:
        with pytest.raises(StorageError, match=f"Could not write {re.escape(str(tmp_path))}"):
            export_model(binary_run, tmp_path / "m")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [entry.name for entry in tmp_path.iterdir()] == [".m.lock"]


def test_unusable_target_folder_is_a_storage_error(binary_run, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="Could not write"):
        export_model(binary_run, tmp_path / "file")


def test_missing_model_card_is_an_error_before_anything_is_in_place(binary_run, tmp_path):
    card = binary_run.path / "model_card.md"
    text = card.read_text()
    card.unlink()
    try:
        with pytest.raises(RunError, match="model_card.md is missing.*metrics.json.*finish the run with: "):
            export_model(binary_run, tmp_path / "m")
    finally:
        card.write_text(text)
    assert [file.name for file in tmp_path.iterdir()] == [".m.lock"]  # empty, and taken again by the next export


def test_lost_model_card_is_written_anew_for_the_export(trained, tmp_path):
    shutil.copytree(trained.path, tmp_path / "run")
    (tmp_path / "run" / "model_card.md").unlink()
    run = load_run(tmp_path / "run")
    (tmp_path / "version").mkdir()
    write_assets(run, serving_of(run), tmp_path / "version")
    written = (tmp_path / "version" / "assets.extra" / "model_card.md").read_text()
    assert written == (trained.path / "model_card.md").read_text()
    assert not (tmp_path / "run" / "model_card.md").exists()  # the run itself stays as it is


def test_samples_are_test_images_of_each_class_in_turn(subtype_run):
    assert [file.parent.name for file in run_files(subtype_run)] == ["NORMAL", "BACTERIAL", "VIRAL", "NORMAL"]


def test_samples_leave_out_what_the_graph_cannot_decode(binary_run, image_files):
    file = image_files(binary_run)[0]
    content = file.read_bytes()
    file.write_text("no image any more")
    try:
        assert file not in run_files(binary_run) and len(run_files(binary_run)) == 4
    finally:
        file.write_bytes(content)


def test_synthetic_samples_are_used_and_announced_when_the_data_is_gone(subtype_run, caplog, monkeypatch):
    monkeypatch.setitem(subtype_run.record["data"], "root", "/nowhere")
    with caplog.at_level(logging.WARNING, "medxray"), sample_files(subtype_run) as samples:
        assert samples.description == "4 synthetic images"
        files, pixels, failures = subtype_run.form.read_inputs(samples.files)
    assert (len(files), failures) == (4, {}) and len(np.unique(pixels, axis=0)) == 4
    assert "is where its split.csv says; the export is checked on synthetic images" in caplog.text


def test_images_that_exist_but_are_of_another_format_are_told_as_such(subtype_run, caplog, monkeypatch, tmp_path):
    monkeypatch.setitem(subtype_run.record["data"], "root", str(tmp_path))
    for path in pd.read_csv(subtype_run.path / "split.csv")["path"]:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(cv2.imencode(".tiff", np.zeros((8, 8), np.uint8))[1].tobytes())
    with caplog.at_level(logging.WARNING, "medxray"), sample_files(subtype_run) as samples:
        assert samples.description == "4 synthetic images"
    assert "is a JPEG, PNG or BMP file, which the exported graph decodes; the export is" in caplog.text


@pytest.mark.slow
@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_architecture_exports_in_parity(arch, make_run, tmp_path):
    result = export_model(make_run(tmp_path / "run", arch, size=64), tmp_path / "m")
    assert max(result.parity.values()) <= 1e-4
