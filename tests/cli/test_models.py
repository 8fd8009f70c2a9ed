"""`medxray models`: a line and an object for each architecture, and what it costs."""

import json

import pytest

from medxray.models.registry import ARCHITECTURES

KEYS = ["name", "parameters", "macs", "image_size", "weights", "mode", "paper", "stages", "heat_layer", "defaults"]


def test_named_architectures_are_shown_with_what_they_cost(medxray):
    status, out, _ = medxray("models", "alexnet", "vgg16")
    header, *lines = out.splitlines()
    assert status == 0
    assert header.split() == ["architecture", "parameters", "GMACs", "pixels", "weights", "mode", "paper"]
    assert lines[0].split()[:6] == ["alexnet", "2,469,696", "0.66", "224", "none", "scratch"]
    assert lines[1].split()[:7] == ["vgg16", "14,714,688", "15.35", "224", "imagenet,", "hed", "finetune"]
    assert lines[1].endswith(ARCHITECTURES["vgg16"].paper) and len(lines) == 2


def test_json_holds_the_row_and_its_cost(medxray):
    status, out, _ = medxray("models", "shallow-cnn", "--json")
    (found,) = json.loads(out)
    assert status == 0 and list(found) == KEYS
    assert (found["parameters"], found["image_size"], found["weights"]) == (23_632, 224, [])
    # 224 x 224 places, 9 -> 16; 112 x 112, 9 * 16 -> 32; 56 x 56, 9 * 32 -> 64
    assert found["macs"] == 224**2 * 9 * 16 + 112**2 * 9 * 16 * 32 + 56**2 * 9 * 32 * 64
    assert found["stages"] == list(ARCHITECTURES["shallow-cnn"].stages) and found["heat_layer"] == "block3_relu"


def test_measured_images_per_second_are_told_with_the_device(medxray):
    status, out, _ = medxray("models", "shallow-cnn", "--measure")
    header, line, device = out.splitlines()
    assert status == 0 and header.split()[4] == "images/s" and float(line.split()[4]) > 0
    assert device.startswith("Measured on: CPU, ")
    (found,) = json.loads(medxray("models", "shallow-cnn", "--json", "--measure")[1])
    assert list(found) == [*KEYS, "images_per_second", "device"] and found["images_per_second"] > 0


def test_unknown_architecture_is_a_usage_error_that_lists_them(medxray):
    status, _, err = medxray("models", "vgg")
    assert status == 2 and "'vgg' is not one of 'vgg16', 'vgg19', 'alexnet'" in err


@pytest.mark.slow
def test_all_architectures_are_shown_in_the_order_of_the_table(medxray):
    status, out, _ = medxray("models", "--json")
    assert status == 0 and [row["name"] for row in json.loads(out)] == list(ARCHITECTURES)
