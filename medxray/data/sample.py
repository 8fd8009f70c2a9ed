"""The sample of real chest X-rays that comes with medxray. No TensorFlow."""

import os
from pathlib import Path

import medxray
from medxray.errors import DataError
from medxray.system.storage import atomic_path

NAME = "sample"
_FIRST_LINE = b"# Sample of real chest X-rays\n"


def sample_folder():
    """Where the sample lies: in the installed package, or in data/ of a checkout; pathlib.Path.

    Raises:
        DataError: it is in neither.
    """
    package = Path(medxray.__file__).absolute().parent
    for folder in (package / NAME, package.parent / "data" / NAME):
        if is_sample(folder):
            return folder
    raise DataError(f"The sample is neither in {package} nor in a checkout around it. Install medxray again.")


def is_sample(folder):
    """True for a folder named "sample" that holds the sample of medxray, known by its README.md."""
    folder = Path(folder)
    if folder.name != NAME:
        return False
    try:
        with open(folder / "README.md", "rb") as file:
            return file.read(len(_FIRST_LINE)) == _FIRST_LINE
    except OSError:
        return False


def copy_sample(target):
    """Copy the sample with its licence and attribution.

    Args:
        target: folder, new or empty.

    Returns:
        int, number of images.

    Raises:
        DataError: the folder holds something already, or the sample is not there.
        StorageError: disk full or no permission.
    """
    source, target = sample_folder(), Path(target)
    if os.path.lexists(target) and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{target} is not empty. Name a new folder for the sample.")
    files = [file for file in sorted(source.rglob("*")) if file.suffix in (".jpeg", ".md")]
    for file in sorted(files, key=lambda file: file.suffix == ".md"):  # the README by which it is known comes last
        with atomic_path(target / file.relative_to(source)) as temporary:
            temporary.write_bytes(file.read_bytes())
    return len(files) - 1
