"""MedMNIST files as datasets: their splits are kept, patients are unknown. No TensorFlow.

Source: Yang et al. (2023), MedMNIST v2, for the names of the classes.
"""

import re
from pathlib import Path

from medxray.data.images.array_file import SPLITS, array_file
from medxray.data.images.array_images import is_array_file
from medxray.data.layouts.labels import LabelledFile
from medxray.data.tasks import NORMAL, PNEUMONIA
from medxray.errors import DataError, ImageError

_SIZE = re.compile(r"_(28|64|128|224)$")
_ORGANS = (
    *("bladder", "femur left", "femur right", "heart", "kidney left", "kidney right"),
    *("liver", "lung left", "lung right", "pancreas", "spleen"),
)
CLASSES = {  # name of the file -> its classes, by label
    "pneumoniamnist": (NORMAL, PNEUMONIA),
    "breastmnist": ("malignant", "normal or benign"),
    "octmnist": ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
    "pathmnist": (
        *("adipose", "background", "debris", "lymphocytes", "mucus", "smooth muscle", "normal colon mucosa"),
        *("cancer-associated stroma", "colorectal adenocarcinoma epithelium"),
    ),
    "dermamnist": (
        *("actinic keratoses and intraepithelial carcinoma", "basal cell carcinoma", "benign keratosis-like lesions"),
        *("dermatofibroma", "melanoma", "melanocytic nevi", "vascular lesions"),
    ),
    "bloodmnist": (
        *("basophil", "eosinophil", "erythroblast", "immature granulocytes"),
        *("lymphocyte", "monocyte", "neutrophil", "platelet"),
    ),
    "tissuemnist": (
        *("collecting duct or connecting tubule", "distal convoluted tubule", "glomerular endothelial cells"),
        *("interstitial endothelial cells", "leukocytes", "podocytes", "proximal tubule segments"),
        "thick ascending limb",
    ),
    "organamnist": _ORGANS,
    "organcmnist": _ORGANS,
    "organsmnist": _ORGANS,
}


def array_rows(path):
    """One LabelledFile for each image of a MedMNIST file; `set.npz/test-12` is image 12 of its test split.

    Args:
        path: of the npz.

    Returns:
        (absolute folder of the file, list of LabelledFile with the official splits).

    Raises:
        DataError: the file is none of MedMNIST, or has a label that its set does not know.
    """
    path = Path(path)
    opened = _checked(path)
    names = CLASSES.get(_SIZE.sub("", path.stem.casefold()))
    rows = [
        LabelledFile(f"{path.name}/{split}-{row}", _name(int(label), names, path, split), "", split)
        for split in SPLITS
        for row, label in enumerate(opened.labels[split])
    ]
    return path.parent.absolute(), rows


def stored_size(path):
    """The longer side, in pixels, of the images of a MedMNIST file; None for any other data."""
    try:
        return array_file(path).side if is_array_file(path) else None
    except (ImageError, OSError):
        return None  # whoever reads the data says what is wrong with it


def _checked(path):
    try:
        return array_file(path)
    except ImageError as error:
        raise DataError(
            f"{path}: {error}. Pass a MedMNIST file with one label per image, or write the images as PNG files in one "
            "folder per class."
        ) from error


def _name(label, names, path, split):
    if names is None:
        return str(label)
    if label >= len(names):
        raise DataError(
            f"{path}: {split}_labels has the label {label}, but {path.stem} has {len(names)} classes. "
            "Name the file otherwise if it is another set."
        )
    return names[label]
