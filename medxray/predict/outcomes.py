"""What became of each image that something was computed for, and of the files written for it. No TensorFlow."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from medxray.predict.inputs import path_text


class Outcome(NamedTuple):
    """What became of one image.

    Attributes:
        name: its path, or the name of ImageBytes, as text.
        result: what was computed; None where the image cannot be read.
        error: why it cannot be read; "" where it can.
        refusal: why the run's gate refuses it; "" where it does not, or there is no gate. The result is there all the
            same.
    """

    name: str
    result: object
    error: str
    refusal: str


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


def batch_outcomes(batch, results, refusals):
    """The Outcome of each image of a batch, in order.

    Args:
        batch: data.image_stream.ImageBatch.
        results: iterable of what was computed for its readable images.
        refusals: list of why the gate refuses each of these, "" where it does not.

    Yields:
        Outcome.
    """
    computed = zip(results, refusals, strict=True)
    for image, reason in zip(batch.images, batch.reasons, strict=True):
        result, refusal = (None, "") if reason else next(computed)
        yield Outcome(path_text(image), result, reason, refusal)


def collect(outcomes):
    """All results of an iterable of Outcomes: (list, dict path -> reason of each image that cannot be read)."""
    found = list(outcomes)
    return [one.result for one in found if not one.error], {one.name: one.error for one in found if one.error}


def write_outcomes(outcomes, write):
    """Write files for each result as soon as it is known, and keep none of them.

    Args:
        outcomes: iterable of Outcome.
        write: function, result -> paths of the files written for it.

    Returns:
        WrittenFiles.
    """
    files, failures, refused = [], {}, {}
    for outcome in outcomes:
        if outcome.error:
            failures[outcome.name] = outcome.error
            continue
        files.extend(write(outcome.result))
        if outcome.refusal:
            refused[outcome.name] = outcome.refusal
    return WrittenFiles(tuple(files), failures, refused)
