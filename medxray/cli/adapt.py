"""`medxray adapt`."""

import click

from medxray.cli.command import command
from medxray.cli.options import PATH, json_option, other_data_options, run_argument
from medxray.cli.printing import print_place
from medxray.cli.report import report_after_training


@command(
    examples=[
        "medxray adapt runs/latest --data site --prevalence 0.2 --name at-site",
        "medxray adapt runs/latest --data site --unlabelled",
    ]
)
@run_argument
@click.option("--data", type=PATH, required=True, metavar="SITE", help="Folder or CSV with images of the new place.")
@click.option("--name", metavar="N", help="Name of the new run.  [default: that of RUN with -adapted]")
@click.option("--runs-dir", type=PATH, default="runs", show_default=True, metavar="DIR", help="Folder of the new run.")
@click.option(
    "--prevalence",
    metavar="SHARE",
    help="Share of the positive class among the patients of the place, above 0 and below 1; with three or more classes "
    "CLASS=SHARE,... of each.",
)
@click.option(
    "--consecutive",
    is_flag=True,
    help="The sample has the patients as they came, so the prevalence is that of the sample.",
)
@click.option(
    "--precision",
    type=float,
    metavar="HALF",
    help="Half width of the intervals of sensitivity and specificity that is wished for: how many patients that needs "
    "is told.  [default: 0.05]",
)
@click.option(
    "--unlabelled",
    is_flag=True,
    help="SITE has no labels: estimate its prevalence and show thresholds for it; nothing is changed.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of folds and resamples.")
@other_data_options
@json_option
def adapt(run, data, name, runs_dir, unlabelled, seed, label_map, exclude_known, as_json, **more):
    """Adapt the threshold and calibration of a run to another place.

    From labelled images of 25 patients of each class or more. The adaptation is judged on patients left out and kept
    where their log-likelihood gains; a new run is written then, which works like any run. RUN stays as it is.
    """
    asked = {option: more.pop(option) for option in ("prevalence", "consecutive", "precision")}
    if unlabelled:
        _refuse_with_unlabelled(name=name, label_map=label_map, **asked)
    from medxray.system.backend import load_tensorflow

    load_tensorflow()
    from medxray import api

    loaded, how = api.load_run(run), {"columns": more, "exclude_known": bool(exclude_known)}
    if unlabelled:
        from medxray.studies.unlabelled import estimate_prevalence
        from medxray.studies.unlabelled_text import lines

        _print(estimate_prevalence(loaded, data, seed=seed, **how), as_json, lines)
        return
    from medxray.studies import adapt as study

    asked["precision"] = study.PRECISION if asked["precision"] is None else asked["precision"]
    options = study.SiteOptions(seed=seed, **asked)
    found, written = study.adapt(loaded, data, options, name=name, runs_dir=runs_dir, label_map=label_map, **how)
    _print(found, as_json, _lines)
    if written is not None:
        print_place(written.path, as_json)
        report_after_training(written.path, err=as_json)


def _refuse_with_unlabelled(**given):
    for name in [name for name, value in given.items() if value]:
        raise click.UsageError(f"--{name.replace('_', '-')} is for labelled images. Leave it out with --unlabelled.")


def _print(found, as_json, lines):
    if as_json:
        import json

        click.echo(json.dumps(found, indent=2, allow_nan=False))
        return
    for line in lines(found):
        click.echo(line.rstrip())


def _lines(found):
    from medxray.cli.summary import aligned
    from medxray.studies import adapt_text

    above, below = adapt_text.lines(found)
    return [*above, "", *aligned(adapt_text.rows(found)), "", *below]
