"""Metrics as a few lines of text."""

_FIGURES = ("auroc", "accuracy", "sensitivity", "specificity", "precision", "f1", "brier")


def summary_lines(splits):
    """Lines of a table: one figure a row, one split a column, with 95 % intervals.

    Args:
        splits: dict split -> JSON object of the split.

    Returns:
        list of str.
    """
    names = list(splits)
    lines = ["".ljust(14) + "".join(_header(splits[name]).rjust(32) for name in names)]
    for figure in _FIGURES:
        lines.append(figure.ljust(14) + "".join(_cell(splits[name][figure]).rjust(32) for name in names))
    first = splits[names[0]]
    if first["threshold"] is not None:
        point = first["threshold"]
        lines.append(f"Threshold {point['value']:.4f} ({point['rule']}, chosen on: {point['chosen_on']}).")
    lines.append(f"Temperature {first['calibration']['temperature']:.3f}.")
    return lines


def _header(report):
    return f"{report['split']}, n={report['n']}/{report['n_patients']} patients"


def _cell(figure):
    if figure["value"] is None:
        return "-"
    interval = figure.get("ci95")
    return f"{figure['value']:.3f}" + ("" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]")
