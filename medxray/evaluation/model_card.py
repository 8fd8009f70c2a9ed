"""The model card of a run: what the model is for, what it was made from, how good it is and where it fails."""

from collections.abc import Callable
from dataclasses import dataclass

from medxray.evaluation.audit_note import audit_lines
from medxray.evaluation.decision_text import CAPTION, decision_rows, remarks
from medxray.evaluation.markdown import UNKNOWN, part, table, text
from medxray.evaluation.shift_text import shift_lines
from medxray.evaluation.unsure_text import lines_of_record
from medxray.metrics.counts import images_and_patients
from medxray.metrics.decision import chosen_where
from medxray.metrics.intervals import estimate_text

FIGURES = (
    ("auroc", "AUROC"),
    ("average_precision", "average precision"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("precision", "precision (PPV)"),
    ("npv", "NPV"),
    ("accuracy", "accuracy"),
    ("balanced_accuracy", "balanced accuracy"),
    ("f1", "F1"),
    ("mcc", "MCC"),
    ("brier", "Brier score"),
    ("nll", "NLL (nats)"),
)
_OF_A_CLASS = (
    ("auroc", "AUROC"),
    ("sensitivity", "sensitivity"),
    ("specificity", "specificity"),
    ("precision", "precision (PPV)"),
    ("f1", "F1"),
)
RESEARCH_ONLY = "**Research use only, not a medical device.**"
_MEANS = " The figures are means over the classes, each against the others; those of each class stand below."
_OUT_OF_SCOPE = """\
- Diagnosis, triage or any decision about a patient.
- Other ages, centres, devices, projections or diseases than in the training data, unless evaluated on them first."""
_CAVEATS = """\
- The labels are those of the data set; their errors are in the model and in its figures.
- Intervals cover the sampling of patients only, neither another training run nor another hospital."""
_OF_TWO_CLASSES = """\
- Predictive values hold at the prevalence of the split; `ppv_npv_at_prevalence` in metrics.json gives others.
- The threshold and calibration belong to the population of the validation images; check them on new data."""
_OF_MORE_CLASSES = """\
- Predictive values hold at the shares of the classes in the split.
- The calibration belongs to the population of the validation images; check it on new data."""


def _nothing(*facts):
    return []


@dataclass(frozen=True)
class KindCard:
    """What the model card of a kind of run says in its own words.

    Attributes:
        intended: Markdown of "Intended use".
        caveats: Markdown, a list, behind the caveats of every run.
        model_rows: function (record, where the weights are from in Markdown) -> first rows of "Model details".
        sections: function (record, dict split -> report) -> list of (title, Markdown) behind "Data".
        choices: function (dict of the decision) -> list of sentences on what chose threshold and calibration.
    """

    intended: str
    caveats: str
    model_rows: Callable
    sections: Callable = _nothing
    choices: Callable = _nothing


def model_card(record, metrics, own):
    """Write the model card of a run.

    Args:
        record: dict as in run.json; what is missing in it is called "not recorded".
        metrics: dict as in metrics.json, `{"splits": {name: report}}`.
        own: KindCard of the kind of run.

    Returns:
        str, Markdown.

    Source: Mitchell et al. (2019), sections of a model card; deviations: evaluation and training data share one.
    """
    splits = metrics.get("splits", {})
    sections = [
        ("Model details", _details(record, own)),
        ("Intended use", own.intended),
        ("Out of scope", _out_of_scope(record)),
        ("Data", _data(record)),
        *own.sections(record, splits),
        ("Operating point and calibration", _decision(record, splits, own)),
        ("Performance", _performance(splits)),
        ("Subgroups", _subgroups(splits)),
        ("Caveats", _caveats(record, splits, own)),
    ]
    name = text(record.get("name", "model"))
    return f"# Model card: {name}\n\n" + "\n".join(f"## {title}\n\n{body}\n" for title, body in sections)


def _details(record, own):
    config, environment, weights = (part(record, name) for name in ("config", "environment", "weights"))
    packages = part(environment, "packages")
    versions = ", ".join(f"{text(name)} {text(version)}" for name, version in packages.items()) or UNKNOWN
    source = " ".join(text(weights[key]) for key in ("kind", "path") if weights.get(key)) or UNKNOWN
    digest = f", SHA-256 {text(weights['sha256'])}" if weights.get("sha256") else ""
    origin = part(record, "origin")
    rows = [
        *own.model_rows(record, source + digest),
        *([["decision adapted from the run", text(origin.get("run"))]] if origin else []),
        ["seed", text(config.get("seed"))],
        ["trained", text(record.get("created"))],
        ["device", text(record.get("device"))],
        ["Python", text(environment.get("python"))],
        ["packages", versions],
        ["code", text(environment.get("git_commit"))],
    ]
    return table(["", ""], rows)


def _out_of_scope(record):
    gate = part(record, "gate")
    if "accepted" not in gate:
        words = "the model has no input gate to notice them and will still give a probability."
    else:
        words = (
            "the input gate notices many of them, and X-rays that are inverted, turned or unlike those of the "
            "training. "
            f"It accepts {100 * gate['accepted']:.1f} % of {gate['validation_views']} views of validation images. "
            "What it accepts need not be a chest X-ray, and what it refuses still gets a probability unless asked "
            "otherwise."
        )
    return f"{_OUT_OF_SCOPE}\n- Images that are not chest X-rays: {words}"


def _data(record):
    data = part(record, "data")
    preprocessing = part(data, "preprocessing")
    classes = ", ".join(text(name) for name in data.get("classes") or ()) or UNKNOWN
    steps = ", ".join(f"{text(name)} {text(value)}" for name, value in preprocessing.items()) or UNKNOWN
    rows = [
        ["source", text(data.get("root"))],
        ["task", text(data.get("task"))],
        ["classes, in the order of the outputs", classes],
        ["positive class", text(data["positive"]) if data.get("positive") else "none"],
        ["manifest SHA-256", text(data.get("manifest_sha256"))],
        ["files left out", str(len(data.get("skipped") or ()))],
        ["preprocessing", steps],
    ]
    counts = [
        [text(row.get(key)) for key in ("split", "label", "images", "patients")]
        for row in data.get("counts") or ()
        if isinstance(row, dict)
    ]
    counted = table(["split", "class", "images", "patients"], counts) if counts else "Counts per split: " + UNKNOWN
    return f"{table(['', ''], rows)}\n\n{counted}"


def _decision(record, splits, own):
    decision = part(record, "decision")
    threshold = decision.get("threshold")
    lines = []
    if isinstance(threshold, dict):
        where = chosen_where(threshold["chosen_on"], decision.get("decided_on"))
        lines.append(
            f"An image is called positive from a probability, as below, of **{threshold['value']:.6g}** on "
            f"(rule {text(threshold['rule'])}, chosen on: {text(where)})."
        )
    else:
        lines.append("The label is the most probable class; there is no threshold.")
    if "temperature" in decision:
        lines.append(
            f"Probabilities are softmax(logits / T + b) with T = **{decision['temperature']:.6g}** and b = "
            f"**{_biases(decision)}**, in the order of the outputs."
        )
    lines += own.choices(decision)
    lines += [text(message) for message in decision.get("messages", ())]
    lines += [text(line) for line in lines_of_record(record)]
    rows = [_calibration_row(name, report["calibration"]) for name, report in splits.items()]
    header = ["split"] + [f"{figure} {when}" for figure in ("ECE", "Brier", "NLL") for when in ("before", "after")]
    return "\n".join(lines) + ("\n\n" + table(header, rows) if rows else "") + _both_decisions(splits)


def _both_decisions(splits):
    """Both decisions on splits that they were not fitted on, as a table; empty where the run has one decision only."""
    found = {name: decision_rows(report) for name, report in splits.items() if not report["fitted_here"]}
    rows = [[text(cell) for cell in (name, *row)] for name, both in found.items() for row in both[1:]]
    if not rows:
        return ""
    header = next(both[0] for both in found.values() if both)
    told = dict.fromkeys(text(message) for report in splits.values() for message in remarks(report))
    return "\n\n".join(["", f"{CAPTION}:", table(["split", *header], rows), *told])


def _biases(decision):
    return ", ".join(f"{bias:.6g}" for bias in decision.get("bias", ())) or "0"


def _calibration_row(name, calibration):
    keys = [f"{figure}_{when}" for figure in ("ece", "brier", "nll") for when in ("before", "after")]
    return [text(name)] + [_number(calibration.get(key)) for key in keys]


def _estimate(figure):
    return estimate_text(figure, undefined="null")


def _number(value):
    return "null" if value is None else f"{value:.4f}"


def _performance(splits):
    if not splits:
        return "Not evaluated."
    header = ["figure", *(f"{text(name)}: {images_and_patients(report)}" for name, report in splits.items())]
    rows = [[words] + [_estimate(report[figure]) for report in splits.values()] for figure, words in FIGURES]
    several = any(len(report["classes"]) > 2 for report in splits.values())
    lines = [table(header, rows), f"95 % intervals are by patient.{_MEANS if several else ''}"]
    return "\n\n".join([*lines, _per_class(splits)] if several else lines) + _shifts(splits)


def _per_class(splits):
    """Each class against the others, where there are three or more."""
    rows = [
        [text(split), text(name), str(entry["n"]), str(entry["n_patients"])]
        + [_estimate(entry[figure]) for figure, _ in _OF_A_CLASS]
        for split, report in splits.items()
        for name, entry in report["per_class"].items()
    ]
    return table(["split", "class", "images", "patients", *(words for _, words in _OF_A_CLASS)], rows)


def _shifts(splits):
    """What was measured on shifted views of a split, as a paragraph; empty where nothing was."""
    samples = [report["shifts_sample"] for report in splits.values() if "shifts_sample" in report]
    return "".join("\n\n" + text(" ".join([*shift_lines(sample), sample["note"]])) for sample in samples)


def _subgroups(splits):
    rows = []
    for split, report in splits.items():
        for group, parts in report["subgroups"].items():
            for name, figures in parts.items():
                rows.append([text(split), text(group), _part_name(name, figures)] + _subgroup_figures(figures))
    header = ["split", "group", "part", "images", "sensitivity", "specificity", "AUROC", "accuracy"]
    return table(header, rows) if rows else "None."


def _part_name(name, figures):
    if "range" not in figures:
        return text(name)
    low, high = figures["range"]
    return f"{text(name)}: {low:.4g} to {high:.4g} ({text(figures['unit'])})"


def _subgroup_figures(figures):
    cells = [_estimate(figures[name]) if name in figures else "" for name in ("sensitivity", "specificity", "auroc")]
    return [str(figures["n"]), *cells, _estimate(figures["accuracy"])]


def _caveats(record, splits, own):
    lines = audit_lines(record)
    if part(record, "data").get("grouped") is False:
        lines.append(
            "- **Patients are unknown**: one patient may be in several splits, and the figures may be too good."
        )
    lines += [f"- {text(name)}: {text(note)}" for name, report in splits.items() for note in report["notes"]]
    of_classes = _OF_TWO_CLASSES if part(record, "data").get("positive") else _OF_MORE_CLASSES
    return "\n".join([*lines, _CAVEATS, of_classes, own.caveats])
