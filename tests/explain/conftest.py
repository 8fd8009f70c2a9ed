"""Small untrained runs with real files: a model, a decision between its predictions, images in several formats."""

import cv2
import numpy as np
import pytest

from medxray import runs, storage
from medxray.backend import load_tensorflow

load_tensorflow()


def picture(seed, *, height=72, width=96, channels=1):
    """A smooth random picture, uint8 (height,width) or (height,width,3)."""
    coarse = np.random.default_rng(seed).uniform(0, 255, (6, 7, channels))
    smooth = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC).reshape(height, width, channels)
    return np.clip(smooth, 0, 255).astype(np.uint8)


def write_images(folder, classes):
    """Six images in folders named like classes, of different shapes: JPEG, PNG, 16-bit PNG, BMP."""
    names = ("a.jpeg", "b.png", "c.jpg", "d.png", "e.bmp", "f.jpeg")
    files = []
    for number, name in enumerate(names):
        file = folder / classes[number % len(classes)] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        pixels = picture(number, height=60 + 40 * number, channels=3 if number % 2 else 1)
        if name == "d.png":
            pixels = pixels.astype(np.uint16) * 16
        assert cv2.imwrite(str(file), pixels)
        files.append(file)
    return files


def build(arch, *, size, channels, classes):
    """An untrained classifier in which each feature speaks for one class, so that no class has an empty heatmap."""
    import keras

    from medxray.models.classifier import build_classifier

    keras.utils.set_random_seed(len(arch))
    model = build_classifier(arch, image_size=size, channels=channels, classes=classes, units=0)
    kernel, bias = model.get_layer("logits").get_weights()
    mine = np.arange(len(kernel))[:, None] % classes == np.arange(classes)
    model.get_layer("logits").set_weights([np.where(mine, np.abs(kernel) + 0.01, 0.0), bias])
    return model


def write_run(folder, arch, *, size, classes, channels, resize, images):
    """A run directory as training leaves it, with an untrained model and the images as its test split."""
    run = runs.RunDir(folder)
    run.path.mkdir(parents=True)
    build(arch, size=size, channels=channels, classes=len(classes)).save(run.model_file)
    record = {
        "kind": "medxray-run",
        "state": "completed",
        "data": {"classes": classes, "positive": classes[-1] if len(classes) == 2 else None, "root": str(images)},
        "config": {"arch": arch, "image_size": size, "channels": channels, "resize": resize},
        "decision": _decision(0.5 if len(classes) == 2 else None, 1.0),
    }
    storage.write_json(run.record_file, record)
    rows = [(file.relative_to(images).as_posix(), file.parent.name) for file in sorted(images.rglob("*.*"))]
    lines = ["path,label,subtype,patient_id,split", *(f"{path},{label},,,test" for path, label in rows)]
    storage.write_text(run.split_file, "\n".join(lines) + "\n")
    storage.write_text(run.card_file, "# Model card\nA model for tests.\n")
    return run


def _decision(value, temperature, bias=()):
    point = None if value is None else {"value": value, "rule": "youden", "chosen_on": "val"}
    return {"threshold": point, "temperature": temperature, "bias": list(bias)}


@pytest.fixture(scope="session")
def classifier_of():
    """The function `build`."""
    return build


@pytest.fixture(scope="session")
def binary_run(tmp_path_factory):
    """Two classes, grey, letterboxed; temperature 0.2, a bias and a threshold between the predictions of its images."""
    from medxray.api import load_run

    folder = tmp_path_factory.mktemp("binary")
    classes = ("NORMAL", "PNEUMONIA")
    files = write_images(folder / "images", classes)
    form = {"size": 64, "classes": classes, "channels": 1, "resize": "letterbox", "images": folder / "images"}
    run = write_run(folder / "run", "shallow-cnn", **form)
    run.update_record(decision=_decision(0.5, 0.2, (0.0, 0.3)))
    scores = np.sort(load_run(run.path).predict(files)["probability"])
    run.update_record(decision=_decision(float(scores[2:4].mean()), 0.2, (0.0, 0.3)))
    return load_run(run.path)


@pytest.fixture(scope="session")
def binary_export(binary_run, tmp_path_factory):
    """The ExportResult of `binary_run`."""
    from medxray.export import export_model

    return export_model(binary_run, tmp_path_factory.mktemp("export") / "binary")


@pytest.fixture(scope="session")
def subtype_run(tmp_path_factory):
    """Three classes, colour, stretched."""
    from medxray.api import load_run

    folder = tmp_path_factory.mktemp("subtype")
    classes = ("NORMAL", "BACTERIAL", "VIRAL")
    write_images(folder / "images", classes)
    form = {"size": 32, "classes": classes, "channels": 3, "resize": "stretch", "images": folder / "images"}
    run = write_run(folder / "run", "deep-cnn", **form)
    run.update_record(decision=_decision(None, 1.5, (0.0, 0.2, -0.1)))
    return load_run(run.path)


@pytest.fixture(scope="session")
def image_files():
    """Function run -> its image files."""
    from medxray.explain.truth import listed_files

    return lambda run: [row.path for row in listed_files(run)]


@pytest.fixture(scope="session")
def make_run():
    """Function (folder, arch, *, size) -> untrained two-class run with images of its own."""
    from medxray.api import load_run

    def make(folder, arch, *, size):
        classes = ("NORMAL", "PNEUMONIA")
        write_images(folder / "images", classes)
        form = {"size": size, "classes": classes, "channels": 1, "resize": "letterbox", "images": folder / "images"}
        return load_run(write_run(folder / "run", arch, **form).path)

    return make
