"""What the model card of an anomaly run says in its own words."""

from medxray.anomaly.methods import METHODS
from medxray.evaluation.markdown import UNKNOWN, part, text
from medxray.evaluation.model_card import RESEARCH_ONLY, KindCard
from medxray.metrics.intervals import estimate_text

PLAIN_MSE_AUROC = "plain_mse_auroc"  # the figure that only the reports of autoencoders have
_INTENDED = f"""\
Research and teaching on frontal chest X-rays that differ from the healthy ones it was fitted on: comparing methods,
studying scores, anomaly maps and failures.

{RESEARCH_ONLY} It has not been validated for any clinical purpose."""
_CAVEATS = """\
- A high score means unlike the normal images of the training, not ill: tubes, markers, another age, device or
  projection raise it too. A low score does not mean healthy.
- An anomaly map shows where the score comes from. It is no segmentation of disease."""


def model_rows(record, weights):
    """Rows of the table of details; `weights` says in Markdown where a backbone's weights are from."""
    config = part(record, "config")
    method = _method_of(config)
    names = () if method is None else method.card_options
    options = ", ".join(f"{name} {text(config.get(name))}" for name in names) or UNKNOWN
    rows = [["method", text(config.get("method")) if method is None else method.title], ["options", options]]
    if method is None or method.has_backbone:
        rows += [["backbone", text(config.get("arch"))], ["weights of the backbone", weights]]
    if method is not None and method.has_epochs:
        rows.append(["best epoch", text(record.get("best_epoch"))])
    return rows


def _method_of(config):
    """The row of the method of a recorded configuration (dict); None for one that is not in the table."""
    name = config.get("method")
    return METHODS.get(name) if isinstance(name, str) else None


def fitted(record, splits):
    """What the detector was fitted on, what its score is; `splits`: reports, dict split -> JSON object."""
    facts, config = part(record, "anomaly"), part(record, "config")
    unit, method = part(facts, "raw_score_of_normals"), _method_of(config)
    lines = [f"Fitted on **{text(facts.get('fitted_on'))}** normal training images and no abnormal one."]
    if config.get("backbone"):
        lines.append("The backbone is that of a classifier's run, which was trained with labels.")
    if method is not None and method.has_epochs:
        lines.append("The best epoch is that of the lowest error on normal validation images.")
    raw = None if method is None else method.raw_scores.get(config.get("image_score"))
    if {"mean", "deviation"} <= set(unit) and raw:
        lines.append(
            f"The raw score of an image is {raw}; its score is (raw score - {unit['mean']:.6g}) / "
            f"{unit['deviation']:.6g}, mean and deviation of the normal validation images."
        )
    plain = {split: report[PLAIN_MSE_AUROC] for split, report in splits.items() if PLAIN_MSE_AUROC in report}
    if plain:
        figures = ", ".join(f"{text(split)} {estimate_text(auroc, undefined='null')}" for split, auroc in plain.items())
        lines.append(f"AUROC of the plain mean squared error of the same reconstructions, for comparison: {figures}.")
    return "\n".join(lines)


def chosen(decision):
    """What labelled validation images chose; `decision` is that of the record."""
    threshold = decision.get("threshold")
    fixed = not isinstance(threshold, dict) or threshold.get("chosen_on") == "fixed"
    named = [] if fixed else ["the threshold"]
    if decision.get("bias"):
        named.append("the calibration")
    if not named:
        return "Neither threshold nor calibration was chosen with labelled images."
    return (
        f"Labelled validation images, normal and abnormal, chose {' and '.join(named)}. The score does not depend on "
        "abnormal ones."
    )


def _sections(record, splits):
    return [("What it was fitted on", fitted(record, splits))]


def _choices(decision):
    return [chosen(decision)]


CARD = KindCard(intended=_INTENDED, caveats=_CAVEATS, model_rows=model_rows, sections=_sections, choices=_choices)
