"""The decision of a run beside the one on other views of validation images, in words. No TensorFlow."""

from medxray.metrics.decision import CLEAN, SHIFTED
from medxray.metrics.intervals import estimate_text

CAPTION = "The decision that is used, and the one on other views of validation images"
_VIEWS = {CLEAN: "unchanged images alone", SHIFTED: "unchanged images and shifted views"}
_ONE_POINT = (
    "This is the only operating point: one on shifted views beside it needs 50 validation images of each class, and in "
    "an ensemble `--decide-on shifted`."
)


def decision_rows(report):
    """Figures of a split by both decisions, as rows of text with a header.

    Args:
        report: dict of `metrics.report.evaluate_split`.

    Returns:
        list of list of str; empty where the run has one decision only.
    """
    other = report.get("other_decision")
    if other is None:
        return []
    used = report | {"ece": report["calibration"]["ece_after"]}
    figures = [name for name in ("sensitivity", "specificity", "accuracy") if name in other]
    thresholds = [] if other["threshold"] is None else ["rule", "threshold"]
    rows = [["decided on", "used", *thresholds, *figures, "ECE"]]
    for found, whether in ((used, "yes"), (other, "no")):
        point = [found["threshold"]["rule"], f"{found['threshold']['value']:.6g}"] if thresholds else []
        shown = [estimate_text(found[name], undefined="not defined") for name in figures]
        ece = "not defined" if found["ece"] is None else f"{found['ece']:.4f}"
        rows.append([_VIEWS.get(found["decided_on"], found["decided_on"]), whether, *point, *shown, ece])
    return rows


def remarks(report):
    """What is to be known of the decision that is not used, list of str."""
    return (report.get("other_decision") or {}).get("messages", [])


def one_point(record, report):
    """Why a report shows one operating point only; None where it shows two, or no training could have set another.

    Args:
        record: dict as in run.json.
        report: dict of `metrics.report.evaluate_split`.
    """
    asked = record.get("config", {}).get("decide_on")
    return _ONE_POINT if asked == CLEAN and report["threshold"] and not report.get("other_decision") else None
