"""What a command that writes a file for each image did."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, eq=False)
class WrittenFiles:
    """Files written for images, and the images that something is to be said about.

    Attributes:
        files: paths of the files written, in the order of the images.
        failures: path -> reason of each image that could not be read.
        refused: path -> reason of each image that the run's gate refuses; it is explained all the same.
    """

    files: tuple[Path, ...]
    failures: dict
    refused: dict
