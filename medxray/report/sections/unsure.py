"""What it gives to answer "unsure": the risk-coverage curve, abstention and prediction sets."""

from medxray.evaluation.unsure_text import abstain_rows, lines_of_record, set_rows
from medxray.metrics.intervals import estimate_text
from medxray.metrics.unsure_report import highest_error_shown, risk_coverage
from medxray.report.contents import ANOMALY
from medxray.report.elements import chart, element, joined, paragraphs, table
from medxray.report.section import MUTED, TEXT, Section, axis, chart_data, line, points


def unsure(contents):
    """Error among answered patients over their share, with what the run has stored; nothing of a detector."""
    if contents.kind == ANOMALY:
        return None
    predictions, found = contents.predictions, contents.report.get("unsure")
    answered, error = risk_coverage(predictions, contents.decision)
    series = [line(f"{contents.split} split", answered, error, colour=0)]
    series += [part for point in _points(found) for part in _marked(point)]
    x = axis("answered (share of patients)", range=(-0.02, 1.02))
    y = axis("error among answered patients", range=_scale(answered, error, found))
    body = joined(
        element("p", "The surest images are answered first. Each patient counts once."),
        chart("risk_coverage", f"Risk-coverage curve: {error[-1]:.3f} where all are answered."),
        _stored(contents, found),
    )
    return Section("unsure", "Answering or not", body, {"risk_coverage": chart_data(series, x=x, y=y)})


def _points(found):
    points_of_run = found["abstain"] if found else ()
    return [point for point in points_of_run if point["bound"] is not None and point["error"]["value"] is not None]


def _marked(point):
    """The error that is asked for, as a line, and what comes of it on the split."""
    at, error = point["answered"]["value"], point["error"]
    low, high = error["ci95"] or (error["value"], error["value"])
    words = f"--abstain {point['risk']:g}: error {estimate_text(error)}"
    wanted = line(f"error of {point['risk']:g}", [0, 1], [point["risk"]] * 2, colour=MUTED, dash="dot")
    return wanted, points(words, [at], [error["value"]], colour=TEXT, symbol="diamond-open", low=[low], high=[high])


def _scale(answered, error, found):
    ends = [(point["error"]["ci95"] or (0, 0))[1] for point in _points(found)]
    top = highest_error_shown(answered, error, ends)
    return (-0.02 * top, top)


def _stored(contents, found):
    if not found:
        return element(
            "p",
            "The run holds no prediction sets and no abstention. ",
            element("code", f"medxray unsure {contents.path}"),
            " computes them, ",
            element("code", f"medxray evaluate {contents.path}"),
            " judges them.",
        )
    of = f"on the {contents.split} split"
    return joined(
        table(abstain_rows(found), caption=f"Abstention {of}, with 95 % intervals by patient"),
        table(set_rows(found), caption=f"Prediction sets {of}"),
        paragraphs(*lines_of_record(contents.record)),
    )
