"""The figures of every split, and the remarks that belong to them."""

from medxray.evaluation.decision_text import CAPTION, decision_rows, one_point, remarks
from medxray.evaluation.model_card import FIGURES
from medxray.metrics.counts import images_and_patients
from medxray.metrics.decision import chosen_where
from medxray.metrics.intervals import estimate_text
from medxray.report.elements import bullets, element, joined, paragraphs, table
from medxray.report.section import Section

_OF_A_CLASS = FIGURES[:6] + FIGURES[8:9]


def overview(contents):
    """Figures with intervals, one column a split, and those of each class where there are three or more."""
    reports = contents.reports
    rows = [["figure", *reports]]
    rows.append(["images and patients", *map(images_and_patients, reports.values())])
    rows += [[words, *(_text(report[name]) for report in reports.values())] for name, words in FIGURES]
    notes = dict.fromkeys(f"{split}: {note}" for split, report in reports.items() for note in report["notes"])
    body = joined(
        table(rows, caption="Figures with 95 % intervals by patient"),
        _means(contents),
        element("p", _decided(contents)),
        _other(contents),
        bullets(notes),
    )
    return Section("figures", "Figures", body)


def _text(figure):
    return estimate_text(figure, undefined="not defined")


def _decided(contents):
    threshold = contents.decision.threshold
    if threshold is None:
        return "The label is the most probable class."
    positive = contents.predictions.positive
    shown = contents.decision.calibration.probability_of(positive)
    return (
        f"An image is called {positive} where the {shown} is {threshold.value:.6g} or more (rule "
        f"{threshold.rule}, chosen on: {chosen_where(threshold.chosen_on, contents.decision.decided_on)})."
    )


def _other(contents):
    """Both decisions side by side, or why there is one only."""
    rows = decision_rows(contents.report)
    if rows:
        return joined(table(rows, caption=f"{CAPTION}, {contents.split} split"), bullets(remarks(contents.report)))
    told = one_point(contents.record, contents.report)
    return told and paragraphs(told)


def _means(contents):
    """What the figures are means of, and those of each class; nothing with two classes."""
    if contents.predictions.is_binary:
        return None
    entries = contents.report["per_class"]
    rows = [["class", "images", "patients", *(words for _, words in _OF_A_CLASS)]]
    for name, entry in entries.items():
        shown = (_text(entry[figure]) if figure in entry else "" for figure, _ in _OF_A_CLASS)
        rows.append([name, entry["n"], entry["n_patients"], *shown])
    means = element("p", "The figures are means over the classes, each against the others.")
    return joined(means, table(rows, caption=f"Each class against the others, {contents.split} split"))
