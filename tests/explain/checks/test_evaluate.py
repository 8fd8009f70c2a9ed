"""The whole check: a map that is right beats a random one, one that ignores the weights fails, and the command."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from medxray.explain.checks import settings
from medxray.explain.checks.bench import Bench
from medxray.explain.checks.figures import figures_of
from medxray.explain.checks.regions import Regions
from medxray.explain.checks.sample import CheckedImages
from medxray.explain.maps import Explained, scaled
from medxray.explain.methods import METHODS, Method
from medxray.metrics.calibration import Calibration
from medxray.metrics.decision import Decision
from medxray.models.inference import trunk
from tests.fixtures.small_runs import write_run

SIDE, IMAGES = 16, 12


def corner_run():
    """A model that looks at the upper left quarter only: the brighter it is, the likelier is class 1."""
    image = keras.Input((SIDE, SIDE, 1), name="image")
    features = keras.layers.Conv2D(1, 1, use_bias=False, name="conv")(image)
    pooled = keras.layers.Flatten(name="pooled")(features)
    logits = keras.layers.Dense(2, name="logits")(pooled)
    model = keras.Model(image, keras.layers.Softmax(name="probabilities")(logits), name="corner")
    weights = np.zeros((SIDE, SIDE), np.float32)
    weights[: SIDE // 2, : SIDE // 2] = 4 / (64 * 100)
    model.get_layer("conv").set_weights([np.ones((1, 1, 1, 1))])
    columns = np.stack([np.zeros(SIDE**2), weights.ravel()], axis=1)
    model.get_layer("logits").set_weights([columns, np.array([0.0, -4.0])])
    return SimpleNamespace(
        model=model,
        classes=("NORMAL", "ILL"),
        decision=Decision(calibration=Calibration(), threshold=None, decided_on="val"),
        input_size=(SIDE, SIDE),
        architecture=SimpleNamespace(heat_layer="conv"),
        heat_layers=("conv",),
    )


@pytest.fixture(scope="module")
def bench():
    """Dark images with a bright upper left quarter, which is known to be the place."""
    pixels = np.random.default_rng(0).integers(0, 60, (IMAGES, SIDE, SIDE, 1)).astype(np.uint8)
    pixels[:, : SIDE // 2, : SIDE // 2] += 150
    place = np.zeros((SIDE, SIDE), bool)
    place[: SIDE // 2, : SIDE // 2] = True
    sample = CheckedImages(
        files=[f"{number}.png" for number in range(IMAGES)],
        patients=np.arange(IMAGES).astype(str),
        labels=np.ones(IMAGES, int),
        pixels=pixels,
        boxes=[(0, 0, SIDE, SIDE)] * IMAGES,
        left_out={},
    )
    return Bench(corner_run(), sample, Regions("here", [place] * IMAGES, ()), seed=0)


def figures(bench, maps):
    references = {name: bench.measure(found, lambda done: None) for name, found in bench.reference_maps().items()}
    measured = bench.measure(np.broadcast_to(maps, (IMAGES, SIDE, SIDE)).astype(np.float32), lambda done: None)
    return figures_of(measured, references, bench.sample.patients, bench.sample.labels, seed=0)


def test_the_place_that_a_model_looks_at_beats_a_random_map_and_a_centre_blob(bench):
    right = np.zeros((SIDE, SIDE))
    right[: SIDE // 2, : SIDE // 2] = 1
    found = figures(bench, right)
    for reference in ("random", "centre"):
        assert found["deletion"][f"minus_{reference}"]["ci95"][1] < 0
        assert found["insertion"][f"minus_{reference}"]["ci95"][0] > 0
        assert found["road"][f"minus_{reference}"]["ci95"][1] < 0
    assert found["hit_rate"]["value"] == found["iou"]["value"] == found["energy_inside"]["value"] == 1
    assert found["n_localised"] == found["n"] == IMAGES and found["constant_maps"] == 0


def test_the_place_that_a_model_does_not_look_at_is_worse_than_random(bench):
    wrong = np.zeros((SIDE, SIDE))
    wrong[SIDE // 2 :, SIDE // 2 :] = 1
    found = figures(bench, wrong)
    assert found["deletion"]["minus_random"]["ci95"][0] > 0
    assert found["insertion"]["minus_random"]["ci95"][1] < 0
    assert found["hit_rate"]["value"] == found["iou"]["value"] == found["energy_inside"]["value"] == 0


def test_a_constant_map_is_the_random_map_without_hits(bench):
    found = figures(bench, np.zeros((SIDE, SIDE)))
    assert all(found[name]["minus_random"]["value"] == 0 for name in ("deletion", "insertion", "road"))
    assert found["constant_maps"] == IMAGES and found["gini"]["value"] == 0
    assert found["hit_rate"]["value"] == 0 and found["border_share"]["value"] is None
    start, end = found["deletion"]["curve"][0], found["deletion"]["curve"][-1]
    assert end < found["deletion"]["value"] < start


def _weightless(model, layer):
    """A map that is the brightness of the image, whatever the model."""
    network = trunk(model)

    def explain(images, targets_of):
        logits, pooled = network(images, training=False)
        return Explained(scaled(tf.reduce_mean(images, axis=-1)), logits, pooled)

    return explain


@pytest.fixture
def weightless(monkeypatch):
    row = Method(
        name="weightless", title="Weightless", about="brightness", source="none", needs_layer=False, build=_weightless
    )
    monkeypatch.setitem(METHODS, row.name, row)


@pytest.fixture(scope="module")
def phantom_run(phantoms, tmp_path_factory):
    """An untrained network on phantoms that calls every image ill."""
    folder = tmp_path_factory.mktemp("checked") / "run"
    form = {"size": 32, "classes": ("NORMAL", "PNEUMONIA"), "channels": 1, "resize": "letterbox"}
    run = write_run(folder, "shallow-cnn", images=phantoms / "chest_xray" / "train", **form)
    point = {"value": 1e-6, "rule": "youden", "chosen_on": "val"}
    run.update_record(decision={"threshold": point, "temperature": 1.0, "bias": []})
    return run


def test_the_command_prints_one_object_and_writes_it_into_the_run(medxray, phantom_run, weightless, monkeypatch):
    monkeypatch.setitem(settings._SETTINGS, "smoothgrad", settings.Setting(lambda *_: 7, lambda _: {"samples": 2}))
    words = ("--images", 10, "--method", "weightless,smoothgrad", "--json")
    status, out, err = medxray("explain", "evaluate", phantom_run.path, *words)
    assert status == 0, err
    report = json.loads(out)
    folder = phantom_run.path / "evaluations" / "test" / "explanations"
    assert json.loads((folder / "explanations.json").read_text()) == report
    assert {file.name for file in folder.iterdir()} == {"explanations.json", "faithfulness.png", "randomisation.png"}
    assert "2 methods on 10 images: " in err and f"Written to {folder}" in err
    assert report["n"] == 10 and report["classes"] == {"NORMAL": 5, "PNEUMONIA": 5}
    assert report["regions"] == {"source": "masks of phantoms", "missing": 0, "n_localised": 5}
    assert set(report["methods"]) == {"weightless", "smoothgrad"} and set(report["references"]) == {"random", "centre"}

    ignorant, seeded = report["methods"]["weightless"], report["methods"]["smoothgrad"]
    assert ignorant["randomisation"]["passed"] is False and ignorant["randomisation"]["rank_correlation"] == 1
    assert ignorant["randomisation"]["n"] == 8 and "FAILS the randomisation check" in ignorant["verdict"]
    assert [depth["randomised"] for depth in ignorant["randomisation"]["depths"]][:2] == ["head", "block3_relu"]
    assert seeded["randomisation"]["rank_correlation"] < 1
    assert ignorant["repeatability"] == "exact" and seeded["repeatability"]["n"] == 8
    assert 0 < seeded["repeatability"]["rank_correlation"] < 1
    for found in (ignorant, seeded):
        assert found["hit_rate"]["ci95"] and found["n_localised"] == 5
        assert set(found["deletion"]) == {"value", "ci95", "minus_random", "minus_centre", "curve"}


def test_the_command_prints_a_row_and_a_verdict_for_each_method(medxray, phantom_run, weightless, tmp_path):
    words = ("--images", 2, "--method", "weightless", "--out", tmp_path / "out", "--split", "test")
    status, out, err = medxray("explain", "evaluate", phantom_run.path, *words)
    assert status == 0, err
    lines = out.splitlines()
    assert lines[0] == "2 images of 2 patients (1 NORMAL, 1 PNEUMONIA); explained: PNEUMONIA"
    assert [line.split()[0] for line in lines[2:5]] == ["random", "centre", "weightless"]
    assert lines[-2].startswith("weightless: too few images to compare with random; ")
    assert lines[-1] == f"Written to {tmp_path / 'out'}" and (tmp_path / "out" / "explanations.json").exists()


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (("--method", "lime"), 2, "--method must be one of gradcam,"),
        (("--images", "1"), 2, "1 is not in the range x>=2"),
        (("--masks", "gone"), 2, "--masks must be a folder. Received 'gone'"),
        (("--boxes", "gone.csv"), 1, "Could not read gone.csv"),
        (("--split", "val"), 1, "Name another --split"),
    ],
)
def test_impossible_wishes_end_with_one_line(medxray, phantom_run, words, status, message):
    found, out, err = medxray("explain", "evaluate", phantom_run.path, *words)
    assert found == status and out == ""
    assert message in err.splitlines()[-1] and err.splitlines()[-1].startswith("Error: ")
