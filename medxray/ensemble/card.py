"""What the model card of an ensemble says in its own words."""

from medxray.evaluation.markdown import part, table, text
from medxray.evaluation.model_card import KindCard

_INTENDED = """\
Research and teaching on the classification of frontal chest X-rays by several classifiers together: what combining them
gains, how far they agree, their failures.

**Research use only, not a medical device.** It has not been validated for any clinical purpose."""
_CAVEATS = (
    "- Its members saw the same patients, so they share their errors: that they agree is no proof. A heatmap is the "
    "mean of theirs."
)
_EXPORT = "The exported SavedModel holds all of this: members, weights, views and passes give the same answers there."


def model_rows(record, weights):
    """Rows of the table of details; `weights`, where initial weights are from, is a matter of the members."""
    config, facts = part(record, "config"), part(record, "ensemble")
    return [
        ["combined", f"{len(facts.get('members') or ())} runs, mean of their calibrated log-odds"],
        ["weights of the runs", text(config.get("weights"))],
        ["views of each image", text(facts.get("views") or 1)],
        ["passes with dropout", text(facts.get("passes") or "none")],
    ]


def sections(record, splits):
    """The members, and what views and passes are."""
    facts = part(record, "ensemble")
    rows = [
        [
            text(member["name"]),
            text(member["arch"]),
            f"{member['weight']:.4f}",
            f"{member['temperature']:.6g}",
            ", ".join(f"{bias:.6g}" for bias in member["bias"]) or "0",
            text(member["model_sha256"]),
        ]
        for member in facts.get("members") or ()
    ]
    header = ["run", "architecture", "weight", "temperature", "bias", "SHA-256 of its model.keras"]
    lines = [table(header, rows), "The logits are the weighted mean of the members' logits / temperature + bias."]
    if facts.get("views"):
        lines.append(
            f"Each image is seen in {facts['views']} views, the unchanged one and others that are turned, shifted, "
            "scaled, brighter or darker, the same for every image."
        )
    if facts.get("passes"):
        lines.append(
            f"Each head is asked in {facts['passes']} passes with dropout, whose masks were drawn once. `entropy` and "
            "`mutual_information` (nats) are of the calibrated answers of all passes of all members."
        )
    return [("Members", "\n\n".join([*lines, _EXPORT]))]


CARD = KindCard(intended=_INTENDED, caveats=_CAVEATS, model_rows=model_rows, sections=sections)
