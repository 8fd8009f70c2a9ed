"""What is asked of a film. No TensorFlow."""

from dataclasses import dataclass

from medxray.errors import ConfigError

ERRORS, CORRECT = "errors", "correct"
ONLY = (ERRORS, CORRECT)
SECONDS, FPS = 3.0, 15


@dataclass(frozen=True)
class FilmRequest:
    """Which images are shown, and for how long.

    Attributes:
        only: ERRORS or CORRECT; None: all images.
        seconds: of each image, and of the title.
        fps: frames of a second.
        images: how many at most; None: all.
        seed: of the order.
        unlabelled: the data have no labels, whatever their folders are called.
    """

    only: str | None = None
    seconds: float = SECONDS
    fps: int = FPS
    images: int | None = None
    seed: int = 0
    unlabelled: bool = False

    def __post_init__(self):
        """Refuse what gives no film."""
        if self.only not in (None, *ONLY):
            raise ConfigError(f"--only must be one of {', '.join(ONLY)}. Received '{self.only}'.")
        if not 1 <= self.fps <= 60:
            raise ConfigError(f"--fps must be 1 to 60. Received {self.fps}.")
        if not (0 < self.seconds <= 60 and self.frames_each):
            raise ConfigError(
                f"--seconds must be above 0, at most 60, and a frame or more at {self.fps} frames a second. Received "
                f"{self.seconds:g}."
            )
        if self.images is not None and self.images < 1:
            raise ConfigError(f"--images must be 1 or more. Received {self.images}.")
        if self.unlabelled and self.only:
            raise ConfigError(f"--only {self.only} needs true labels. Leave it out with --unlabelled.")

    @property
    def frames_each(self):
        """Frames of each image, and of the title."""
        return round(self.seconds * self.fps)


def images_text(shown, available):
    """How many images a film shows, in words: "1 image", or "30 of 798 images" where there were more."""
    if shown < available:
        return f"{shown:,} of {available:,} images"
    return "1 image" if shown == 1 else f"{shown:,} images"
