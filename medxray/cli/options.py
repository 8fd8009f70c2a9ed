"""Options that several commands share."""

import click

DEFAULT_RUN = "runs/latest"

model_option = click.option(
    "--model",
    "model",
    default=DEFAULT_RUN,
    show_default=True,
    metavar="RUN",
    help="Run directory, or the model.keras in it.",
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value on standard output.")


def parse_label_map(context, parameter, text):
    """Click callback: "a=B,c=D" -> dict; None stays None."""
    if text is None:
        return None
    pairs = [pair.split("=") for pair in text.split(",")]
    if any(len(pair) != 2 or not all(part.strip() for part in pair) for pair in pairs):
        raise click.BadParameter(f"expected label=CLASS[,label=CLASS...], received '{text}'.")
    return {label.strip(): name.strip() for label, name in pairs}


label_map_option = click.option(
    "--label-map",
    callback=parse_label_map,
    metavar="a=B,...",
    help="Labels of the data that mean a class of the run.",
)


def column_options(command):
    """Add the options that say how a CSV is read."""
    for name, text in (
        ("split", "Column with train, val or test."),
        ("patient", "Column with patient ids."),
        ("label", "Column with labels."),
        ("path", "Column with image paths, relative to the CSV's folder."),
    ):
        command = click.option(f"--{name}-col", metavar="NAME", help=f"CSV: {text[0].lower()}{text[1:]}")(command)
    return command
