"""Synthetic chest phantoms: a seeded stand-in for a dataset, with the truth about every opacity. No TensorFlow.

They are drawings and show nobody. They serve tests and the demo, and as ground truth for heatmaps.
"""

import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from medxray.data.phantom.anatomy import chest, draw_anatomy
from medxray.data.phantom.grid import Grid, draw_pose, edge
from medxray.data.phantom.opacity import bacterial, opacity_mask, viral
from medxray.errors import ConfigError, StorageError
from medxray.system import progress
from medxray.system.storage import storage_error

KINDS = ("normal", "bacterial", "viral")
COMMENT = b"medxray synthetic phantom, shows no patient"
_SHARES = (0.40, 0.30, 0.30)
_SEVERITY = {"bacterial": (0.40, 0.90), "viral": (0.38, 0.80)}
_QUALITY = 92
_IMAGES = "chest_xray"
_MASKS = "masks"
_NOTE_NAME = "PHANTOMS.md"
_NOTE = """# Synthetic phantoms

Every picture below `chest_xray` was drawn by `medxray data phantom`. They show no patient and are of no use in
medicine. File names follow the Kermany chest X-ray set so that tools read labels and patients from them.
`masks/<name>.png` is 255 where the opacity of `<name>.jpeg` lies and 0 elsewhere; it is empty for a normal picture.

Patients: {patients}. Pixels a side: {size}. Seed: {seed}.
"""


@dataclass(frozen=True)
class _Shot:
    kind: str
    stem: str
    patient_seed: tuple
    image_seed: tuple


def render_phantom(kind, *, size, patient_seed, image_seed):
    """Draw one exposure.

    Args:
        kind: "normal", "bacterial" or "viral".
        size: width in pixels; the height is 80-100 % of it.
        patient_seed: int or tuple of int >= 0; anatomy and disease.
        image_seed: int or tuple of int >= 0; pose, exposure, severity and noise. Equal seeds give equal pictures, and
            those of another kind differ in the opacity only (and in the window, which is fitted to the content).

    Returns:
        (uint8 image (h, w), uint8 mask (h, w): 255 in the opacity, else 0).

    Raises:
        ConfigError: `kind` is none of `KINDS`.
    """
    if kind not in KINDS:
        raise ConfigError(f"Phantom kind must be one of {', '.join(KINDS)}. Received {kind!r}.")
    patient, shot = np.random.default_rng(patient_seed), np.random.default_rng(image_seed)
    grid, (attenuation, air, lung) = _healthy(patient, shot, size)
    haze = 0.035 * grid.noise(patient, 0.5) + 0.015 * grid.noise(patient, 0.15)
    attenuation += (haze + shot.uniform(0, 0.10) * edge(grid.y + 0.1, 0.6)) * edge(lung, 0.1)
    severity, density = shot.random(), np.zeros(grid.shape, np.float32)
    if kind != "normal":
        density = (bacterial if kind == "bacterial" else viral)(grid, air, patient)
        mildest, worst = _SEVERITY[kind]
        attenuation += (mildest + severity * (worst - mildest)) * density
    image = _exposed(attenuation, grid, shot)
    return _marked(image, shot), opacity_mask(density, grid, air)


def lungs_of_phantom(*, size, patient_seed, image_seed):
    """Where the lungs of an exposure lie, behind the heart too: bool (h, w); arguments as for `render_phantom`."""
    _, (_, _, lung) = _healthy(np.random.default_rng(patient_seed), np.random.default_rng(image_seed), size)
    return lung > 0


def _healthy(patient, shot, size):
    """The Grid of an exposure and what `anatomy.chest` says of it, from the Generators of patient and exposure."""
    anatomy, pose = draw_anatomy(patient), draw_pose(shot)
    grid = Grid((round(size * shot.uniform(0.80, 1.0)), size), pose)
    return grid, chest(grid, anatomy, pose)


def _exposed(attenuation, grid, rng):
    """Film grey levels uint8: Beer-Lambert, blur, noise, a window that varies, sometimes collimation."""
    image = (1 - np.exp(-rng.uniform(1.1, 1.6) * np.clip(attenuation, 0, None))).astype(np.float32)
    image = grid.blur(image, rng.uniform(0.002, 0.007))
    grain = rng.standard_normal(grid.shape, dtype=np.float32)
    image += np.float32(rng.uniform(0.003, 0.012)) * grain
    low, high = np.percentile(image[::4, ::4], [1, 99.5])
    low, high = low - rng.uniform(-0.02, 0.08), high + rng.uniform(0.0, 0.12)
    gamma = np.float32(rng.uniform(0.75, 1.4))
    image = np.clip((image - np.float32(low)) * np.float32(1 / (high - low)), 0, 1) ** gamma
    if rng.random() < 0.3:
        border = [round(grid.shape[0] * share) for share in rng.uniform(0, 0.05, 4)]
        image[: border[0]] = image[grid.shape[0] - border[1] :] = 0
        image[:, : border[2]] = image[:, grid.shape[1] - border[3] :] = 0
    return np.rint(image * 255).astype(np.uint8)


def _marked(image, rng):
    """Burn in a side marker on most pictures and the word PHANTOM on all; places do not depend on the class."""
    height, width = image.shape
    unit = width / 256
    thick = max(round(unit), 1)
    if rng.random() < 0.7:
        place = round(width * rng.uniform(0.03, 0.12)), round(height * rng.uniform(0.07, 0.14))
        scale = 0.5 * unit * rng.uniform(0.8, 1.3)
        cv2.putText(image, "R", place, cv2.FONT_HERSHEY_SIMPLEX, scale, 235, thick, cv2.LINE_AA)
    x = round(width * (0.02 if rng.random() < 0.5 else 0.81))
    scale, low = 0.28 * unit, height - round(5 * unit)
    (wide, high), _ = cv2.getTextSize("PHANTOM", cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    cv2.rectangle(image, (x - 2, low - high - 2), (x + wide + 1, low + 2), 30, cv2.FILLED)
    cv2.putText(image, "PHANTOM", (x, low), cv2.FONT_HERSHEY_SIMPLEX, scale, 190, thick, cv2.LINE_AA)
    return image


def generate_phantoms(root, *, patients=60, size=256, seed=0, overwrite=False):
    """Write a dataset of phantoms in the Kaggle layout: 40 % of the patients normal, 30 % bacterial, 30 % viral.

    `<root>/chest_xray/train/{NORMAL,PNEUMONIA}` holds one to four JPEGs of each patient, marked as synthetic by a
    burned-in word, a JPEG comment and PHANTOMS.md; `<root>/masks` holds one PNG per picture. Both folders appear
    when they are complete, or not at all.

    Args:
        root: folder; made when missing.
        patients: number of patients, at least 1.
        size: width of the pictures in pixels, 64-2048.
        seed: int >= 0; equal arguments give bit-identical files on the same machine and library versions.
        overwrite: replace the phantoms that are there.

    Returns:
        list of pathlib.Path of the pictures, sorted.

    Raises:
        ConfigError: an argument is out of range.
        StorageError: phantoms or other files are in the way, or the disk is full or cannot be written.
    """
    _check_arguments(patients, size, seed)
    root = Path(root)
    try:
        _check_room(root, overwrite)
        root.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".partial-phantoms-", dir=root))
        try:
            names = _write_all(staging, patients, size=size, seed=seed)
            _put_in_place(staging, root)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise storage_error(root, error) from error
    return sorted(root / name for name in names)


def masks_beside(file):
    """The folder of masks of the phantoms that a picture belongs to.

    Args:
        file: path of a picture.

    Returns:
        pathlib.Path, or None where it is no picture of `generate_phantoms`.
    """
    for folder in Path(file).absolute().parents:
        if folder.name == _IMAGES and (folder / _NOTE_NAME).is_file() and (folder.parent / _MASKS).is_dir():
            return folder.parent / _MASKS
    return None


def _check_arguments(patients, size, seed):
    for name, value, low, high in (("--patients", patients, 1, 100_000), ("--size", size, 64, 2048)):
        if not low <= value <= high:
            raise ConfigError(f"{name} must be {low} to {high}. Received {value}.")
    if seed < 0:
        raise ConfigError(f"--seed must be 0 or more. Received {seed}.")


def _check_room(root, overwrite):
    """Refuse to mix phantoms with what is there, and to remove what is no phantom."""
    if root.exists() and not root.is_dir():
        raise StorageError(f"{root} is a file. Name a folder.")
    taken = [
        path for path in (root / _IMAGES, root / _MASKS) if path.is_file() or (path.is_dir() and any(path.iterdir()))
    ]
    if not taken:
        return
    if not overwrite:
        raise StorageError(f"{taken[0]} is not empty. Choose another folder, or pass --overwrite to replace phantoms.")
    if not (root / _IMAGES / _NOTE_NAME).is_file():
        raise StorageError(
            f"{taken[0]} holds no phantoms (no {_NOTE_NAME}): it is not replaced. Choose another folder."
        )


def _put_in_place(staging, root):
    for name in (_IMAGES, _MASKS):
        if (root / name).exists():
            (root / name).rename(staging / f"old-{name}")
        (staging / name).rename(root / name)


def _write_all(folder, patients, *, size, seed):
    """Write the dataset into `folder` and return the pictures' paths relative to it."""
    note = _NOTE.format(patients=patients, size=size, seed=seed)
    for name in ("NORMAL", "PNEUMONIA"):
        (folder / _IMAGES / "train" / name).mkdir(parents=True)
    (folder / _MASKS).mkdir()
    (folder / _IMAGES / _NOTE_NAME).write_text(note, encoding="utf-8")
    written = []
    shots = list(_shots(patients, seed))
    for shot in progress.each(shots, len(shots), "Phantoms"):
        image, mask = render_phantom(shot.kind, size=size, patient_seed=shot.patient_seed, image_seed=shot.image_seed)
        path = Path(_IMAGES, "train", "NORMAL" if shot.kind == "normal" else "PNEUMONIA", f"{shot.stem}.jpeg")
        (folder / path).write_bytes(_jpeg(image))
        (folder / _MASKS / f"{shot.stem}.png").write_bytes(cv2.imencode(".png", mask)[1].tobytes())
        written.append(path)
    return written


def _shots(patients, seed):
    """The exposures of all patients in order."""
    rng = np.random.default_rng([seed, patients])
    kinds = rng.permutation(_kinds(patients))
    running = 0
    for patient, kind in enumerate(kinds, start=1):
        exposures = 1 + int(rng.choice(4, p=(0.35, 0.30, 0.20, 0.15)))
        for number in range(1, exposures + 1):
            running += 1
            word = "bacteria" if kind == "bacterial" else "virus"
            stem = f"IM-{patient:04d}-{number:04d}" if kind == "normal" else f"person{patient}_{word}_{running}"
            yield _Shot(str(kind), stem, (seed, patient), (seed, patient, number))


def _kinds(patients):
    normal, bacterial_ones = round(patients * _SHARES[0]), round(patients * _SHARES[1])
    return ["normal"] * normal + ["bacterial"] * bacterial_ones + ["viral"] * (patients - normal - bacterial_ones)


def _jpeg(image):
    """Encode as JPEG with a comment that says what it is."""
    data = cv2.imencode(".jpeg", image, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1].tobytes()
    return data[:2] + b"\xff\xfe" + struct.pack(">H", len(COMMENT) + 2) + COMMENT + data[2:]
