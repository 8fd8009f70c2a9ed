"""Every explanation that a graph can hold gives in the SavedModel what the command gives, on every architecture."""

import numpy as np
import pytest
import tensorflow as tf

from medxray.explain.methods import EXPORTED, GRADCAM, METHODS, OCCLUSION
from medxray.export.explanations import served_requests
from medxray.export.serving import save_serving, serving_of
from medxray.models.inference import trunk
from tests.contracts.test_explainers import SMALL
from tests.fixtures.architectures import architectures, map_rounding, with_signal

SIZE = 64
LARGER = {"alexnet": 128}  # its last map has one cell at 64 pixels
SERVED = (GRADCAM, OCCLUSION, "cam")
FAST = ("shallow-cnn",)  # the others take more than ten seconds each
OPTIONS = tuple((name, value) for method in EXPORTED for name, value in SMALL.get(method, {}).items())


def rows():
    """Parameters: each architecture; all but the FAST ones are slow."""
    return architectures(slow=[one.id for one in architectures() if one.id not in FAST])


def exported(run, folder, methods, options=()):
    """(The requests, the loaded SavedModel, the image files of the run, of whose activations something is seen)."""
    files, pixels, _ = run.form.read_inputs(sorted((run.path.parent / "images").rglob("*.*")))
    for_the_explained_class(with_signal(run.model, pixels.astype(np.float32)), pixels.astype(np.float32))
    requests = served_requests(run, methods, options)
    folder.mkdir()
    save_serving(serving_of(run, requests), folder)
    return requests, tf.saved_model.load(str(folder)), files


def for_the_explained_class(model, pixels):
    """Let the classes of an untrained model change places where nothing would speak for the second."""
    logits, _ = trunk(model)(pixels, training=False)
    if np.mean(logits[:, 1] - logits[:, 0]) < 0:
        head = model.get_layer("logits")
        head.set_weights([weights[..., ::-1] for weights in head.get_weights()])


def gap(run, request, loaded, files):
    """Largest difference between the heatmaps of a signature and those of the command."""
    heatmaps, _ = run.explain(files, method=request.method, options=request.options)
    content = tf.constant([file.read_bytes() for file in files])
    answer = loaded.signatures[request.method](content)
    expected = np.stack([heatmap.heatmap for heatmap in heatmaps])
    assert answer["heatmap"].shape == expected.shape and expected.max() > 0
    np.testing.assert_allclose(answer["probabilities"], [heatmap.probabilities for heatmap in heatmaps], atol=1e-4)
    return np.abs(answer["heatmap"] - expected).max()


@pytest.mark.parametrize("row", rows())
def test_each_signature_is_the_command_on_every_architecture(row, make_run, tmp_path):
    """Grad-CAM is not folded in the graph, so what rounding may do to its maps is the same as against tf-keras-vis."""
    run = make_run(tmp_path / "made", row.name, size=LARGER.get(row.name, SIZE))
    requests, loaded, files = exported(run, tmp_path / "saved", ",".join(SERVED))
    assert {*SERVED} < set(loaded.signatures)
    gaps = {request.method: gap(run, request, loaded, files) for request in requests}
    allowed = dict.fromkeys(SERVED, 1e-4) | {GRADCAM: map_rounding(row.name)}
    assert {name: value for name, value in gaps.items() if not value <= allowed[name]} == {}


@pytest.mark.slow
def test_every_method_that_is_exported_gives_what_the_command_gives(make_run, tmp_path):
    run = make_run(tmp_path / "made", "shallow-cnn", size=SIZE)
    requests, loaded, files = exported(run, tmp_path / "saved", "all", OPTIONS)
    assert [request.method for request in requests] == list(EXPORTED)
    assert set(METHODS) - set(EXPORTED) == {"saliency", "smoothgrad", "integrated-gradients", "rise"}
    for request in requests:
        assert gap(run, request, loaded, files) <= 1e-4, request.method


def test_signatures_take_batches_of_any_size_and_tell_images_apart(make_run, tmp_path):
    run = make_run(tmp_path / "made", "shallow-cnn", size=SIZE)
    _, loaded, files = exported(run, tmp_path / "saved", OCCLUSION, (("patch", 24), ("stride", 9)))
    signature = loaded.signatures[OCCLUSION]
    together = signature(tf.constant([file.read_bytes() for file in files]))["heatmap"]
    for file, heat in zip(files, together, strict=True):
        np.testing.assert_allclose(signature(tf.constant([file.read_bytes()]))["heatmap"][0], heat, atol=1e-4)
    assert len({heat.numpy().tobytes() for heat in together}) == len(files)


def test_occlusion_in_the_graph_covers_the_right_and_the_bottom_edge(make_run, tmp_path):
    """Patches of 30 pixels begin at 0, 20 and 34, the last one being moved to the edge."""
    run = make_run(tmp_path / "made", "shallow-cnn", size=SIZE)
    _, loaded, files = exported(run, tmp_path / "saved", OCCLUSION, (("patch", 30), ("stride", 20), ("sizes", 1)))
    content = tf.constant([file.read_bytes() for file in files])
    heat = loaded.signatures[OCCLUSION](content)["heatmap"].numpy()
    rows = [0, 19, 20, 29, 30, 33, 34, 49, 50, 63]  # where coverage changes: maps are the same between
    for first, last in zip(rows[::2], rows[1::2], strict=True):
        assert np.ptp(heat[:, first : last + 1], axis=1).max() < 1e-5
        assert np.ptp(heat[:, :, first : last + 1], axis=2).max() < 1e-5
    assert heat[:, -1, :].max() > 0 and heat[:, :, -1].max() > 0
