"""`medxray video`."""

import click

from medxray.cli.command import command
from medxray.cli.options import PATH, check_data_options, other_data_options, run_argument, split_options
from medxray.cli.types import Choice
from medxray.film.request import FPS, ONLY, SECONDS, FilmRequest, images_text


@command(
    examples=[
        "medxray video runs/latest --images 30 --out film.webm",
        "medxray video runs/latest --data site --only errors --out errors.mp4",
    ]
)
@run_argument
@split_options
@click.option("--out", type=PATH, required=True, metavar="FILE", help="The film, FILE.mp4 or FILE.webm.")
@click.option("--only", type=Choice(ONLY), help="Only images that are labelled wrongly, or rightly.")
@click.option("--seconds", type=float, default=SECONDS, show_default=True, help="Of each image, and of the title.")
@click.option("--fps", type=int, default=FPS, show_default=True, help="Frames of a second.")
@click.option("--images", type=click.IntRange(min=1), metavar="N", help="Images at most; default: all.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of the order of the images.")
@click.option("--unlabelled", is_flag=True, help="The data have no labels, whatever their folders are called.")
@other_data_options
def video(run, data, split, out, label_map, exclude_known, only, seconds, fps, images, seed, unlabelled, **columns):
    """Write a film of predictions: image, heatmap fading in, probability, true and predicted class, confusion matrix.

    1280 x 720 pixels. MP4 (H.264) needs the extra `video`; WebM is VP9 with it, else VP8. A folder whose images lie in
    it directly has no labels: true class and matrix are left out.
    """
    check_data_options(data, label_map=label_map, exclude_known=exclude_known, **columns)
    request = FilmRequest(only, seconds, fps, images, seed, unlabelled)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api
    from medxray.film.film import write_film

    how = {"label_map": label_map, "columns": columns, "exclude_known": bool(exclude_known)}
    film = write_film(api.load_run(run), data, out=out, split=split, request=request, **how)
    _tell(film)


def _tell(film):
    """Print the file and, on standard error, what it holds and which of its images the gate refuses."""
    for path, reason in film.refused.items():
        click.echo(f"Warning: {path}: {reason}", err=True)
    labels = "" if film.labelled else ", without true classes and confusion matrix"
    images = images_text(film.images, film.available)
    click.echo(f"{images}, {film.seconds:.1f} s, {film.frames:,} frames, {film.encoder}{labels}", err=True)
    click.echo(film.file)
