"""What the model card of a classifier says in its own words."""

from medxray.evaluation.markdown import part, text
from medxray.evaluation.model_card import RESEARCH_ONLY, KindCard

_INTENDED = f"""\
Research and teaching on the classification of frontal chest X-rays of the kind it was trained on: comparing methods,
studying calibration, heatmaps and failures.

{RESEARCH_ONLY} It has not been validated for any clinical purpose."""
_CAVEATS = (
    "- A probability that is right may rest on wrong reasons (markers, borders, image size): look at the heatmaps."
)


def model_rows(record, weights):
    """Rows of the table of details; `weights` says in Markdown where the initial weights are from."""
    config = part(record, "config")
    return [
        ["architecture", text(config.get("arch"))],
        ["training mode", text(config.get("mode"))],
        ["initial weights", weights],
        ["augmentation", text(config.get("augment"))],
    ]


CARD = KindCard(intended=_INTENDED, caveats=_CAVEATS, model_rows=model_rows)
