"""From a run and images to a film of the predictions."""

import dataclasses
from pathlib import Path

from medxray.data.images.access import path_text
from medxray.errors import DataError
from medxray.explain.explainer import ExplainRequest
from medxray.explain.heatmaps import iterate_heatmaps
from medxray.explain.methods import METHODS
from medxray.explain.overlay import crop_to_image
from medxray.film.encoders import encoder_for, write_frames
from medxray.film.page import title_page
from medxray.film.request import ERRORS, FilmRequest, images_text
from medxray.film.scenes import Scene, scene_frames
from medxray.film.subjects import film_subjects
from medxray.film.tally import tallies
from medxray.metrics.decision import chosen_where
from medxray.metrics.thresholds import FIXED
from medxray.system import storage


@dataclasses.dataclass(frozen=True)
class Film:
    """A film that was written.

    Attributes:
        file: pathlib.Path.
        images: how many it shows.
        available: how many there were to choose from; more than `images` with `FilmRequest.images`.
        frames: of title and images together.
        seconds: its length.
        encoder: what wrote it, in words.
        labelled: whether true classes and the confusion matrix are in it.
        refused: dict path -> reason of each image that the run's gate refuses; it is shown all the same.
    """

    file: Path
    images: int
    available: int
    frames: int
    seconds: float
    encoder: str
    labelled: bool
    refused: dict


def write_film(run, data=None, *, out, split="test", request=None, **how):
    """Write a film that flies through predictions of a run: each image, its Grad-CAM fading in, and what was answered.

    Args:
        run: trained_run.Run of a classifier or an ensemble.
        data: folder or CSV; None: the run's own split. Images that lie in a folder directly have no labels: true class
            and confusion matrix are left out.
        out: the file, .mp4 (H.264, needs PyAV) or .webm (VP9 by PyAV where it is installed, else VP8 by OpenCV).
        split: "train", "val" or "test"; data without splits is taken whole.
        request: FilmRequest; None: the default one.
        **how: `label_map`, `columns` and `exclude_known`, as for `evaluation.evaluate.write_evaluation`.

    Returns:
        Film: frames of 1280 x 720 pixels, `request.seconds` for the title and for each image, in an order that the seed
        fixes.

    Raises:
        ConfigError: an impossible option or suffix, PyAV is missing, or the run has no Grad-CAM.
        DataError: no image is left.
        StorageError: the file cannot be written; what was there before stays.
    """
    request, wanted = request or FilmRequest(), ExplainRequest()
    encoder = encoder_for(out)
    wanted.check(run)
    storage.check_place(out, file=True)
    subjects = film_subjects(run, data, request, split=split, **how)
    expected, refused = request.frames_each * (1 + len(subjects)), {}
    frames = _frames(run, subjects, request, wanted, refused)
    write_frames(Path(out), frames, encoder, fps=request.fps, expected=expected)
    return Film(
        file=Path(out),
        images=len(subjects),
        available=subjects.available,
        frames=expected,
        seconds=expected / request.fps,
        encoder=encoder.name,
        labelled=subjects.truths is not None,
        refused=refused,
    )


def _frames(run, subjects, request, wanted, refused):
    """Yield all frames; what the gate refuses is added to the dict `refused`."""
    title = title_page(*_title(run, subjects, request, wanted))
    for _ in range(request.frames_each):
        yield title
    counted = tallies(subjects.truths, subjects.predicted, len(run.classes))
    probabilities = run.decision.calibration.probabilities(subjects.logits)
    found = iterate_heatmaps(run, subjects.files, wanted, pictures=True)
    for row, (outcome, tally) in enumerate(zip(found, counted, strict=True)):
        if outcome.error:
            raise DataError(f"{outcome.name}: it cannot be read any more: {outcome.error}. Run the command again.")
        if outcome.refusal:
            refused[outcome.name] = outcome.refusal
        scene = dataclasses.replace(_scene(run, subjects, row, outcome, probabilities[row]), tally=tally)
        yield from scene_frames(scene, request.frames_each)


def _scene(run, subjects, row, outcome, probabilities):
    (heatmap,) = outcome.result
    threshold = run.decision.threshold
    return Scene(
        number=row + 1,
        total=len(subjects),
        name=subjects.names[row],
        picture=heatmap.picture,
        heat=crop_to_image(heatmap.heatmap, heatmap.box),
        method=METHODS[heatmap.method].title,
        target=heatmap.target,
        classes=run.classes,
        probabilities=probabilities,
        threshold=None if threshold is None else threshold.value,
        predicted=run.classes[subjects.predicted[row]],
        true=None if subjects.truths is None else run.classes[subjects.truths[row]],
        refusal=outcome.refusal,
    )


def _title(run, subjects, request, wanted):
    """(heading, lines) of the title page."""
    kind = {None: "", ERRORS: " that are labelled wrongly"}.get(request.only, " that are labelled rightly")
    lines = [
        f"{images_text(len(subjects), subjects.available)}{kind}: {path_text(subjects.what)}",
        _decided(run),
        f"Heat: {METHODS[wanted.method].title} for {run.positive or 'the predicted class'}",
    ]
    if subjects.truths is None:
        lines.append("Without true classes: the images have no labels")
    return f"Predictions of {run.name}", lines


def _decided(run):
    point = run.decision.threshold
    if point is None:
        return "Predicted: the most probable class"
    where = chosen_where(point.chosen_on, run.decision.decided_on)
    origin = FIXED if point.chosen_on == FIXED else f"{point.rule}, chosen on {where}"
    return f"Predicted {run.positive} from a probability of {point.value:.3g} on ({origin})"
