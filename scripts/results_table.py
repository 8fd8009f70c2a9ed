#!/usr/bin/env python
"""Prints what runs have stored of their test split as a Markdown table: unchanged images beside shifted views.

Shifted figures are of the evaluation of all views where `medxray evaluate RUN --shifts` was called, else of the sample
that training evaluates; the column says of how many images and views. Brackets behind a second decision say on which
images it was chosen. Nothing is computed again, but for --threshold-rule: it adds what another rule, applied to the
stored answers to unchanged validation images, gives on unchanged test images.

    python scripts/results_table.py RUN RUN ...
    python scripts/results_table.py --threshold-rule youden RUN RUN ...
"""

import argparse

BALANCED = "balanced accuracy"
CLEAN = {"auroc": "AUROC", "accuracy": "accuracy", "balanced_accuracy": BALANCED}
BINARY = {"sensitivity": "sensitivity", "specificity": "specificity"}
SHIFTED = {"mean_auroc": "AUROC", "balanced_accuracy": BALANCED, "mean_ece": "ECE"}


def stored(path):
    """The name of a run, its record, the report of its test split, and the shifted views of that, or {}."""
    from medxray.report.contents import read_contents

    found = read_contents(path, "test")
    return found.directory.name, found.record, found.report, found.shifts or {}


def cell(figure):
    """A figure as text: a number, or an estimate with its interval."""
    if isinstance(figure, dict):
        return cell(figure["value"]) + (" [{}, {}]".format(*map(cell, figure["ci95"])) if figure["ci95"] else "")
    return "-" if figure is None else f"{figure:.3f}".removeprefix("0")


def by_rule(path, rule):
    """The cells of a decision by a rule on the unchanged validation images of a run."""
    from medxray import load_run
    from medxray.metrics.decision import VALIDATION, fit_decision
    from medxray.metrics.prediction_table import read_predictions
    from medxray.metrics.report import evaluate_split

    found = read_predictions(load_run(path).directory.predictions_file)
    report = evaluate_split(found["test"], fit_decision(found[VALIDATION], rule=rule))
    return {f"{words}, {rule}": cell(report[key]) for key, words in (CLEAN | BINARY).items() if key != "auroc"}


def row(name, record, report, shifts):
    """The cells of a run."""
    names = CLEAN | (BINARY if len(report["classes"]) == 2 else {})
    views = sum(map(len, shifts.get("families", {}).values()))
    other = shifts.get("other_decision")
    return {
        "run": name,
        **{words: cell(report[key]) for key, words in names.items()},
        **{f"{words}, shifted": cell(shifts.get(key)) for key, words in SHIFTED.items()},
        f"{BALANCED}, shifted, by the other decision": f"{cell(other['balanced_accuracy'])} ({other['decided_on']})"
        if other
        else "-",
        "images, views": f"{shifts.get('n', '-')}, {views or '-'}",
        "seconds": f"{sum(record.get('seconds', {}).values()):.0f}",
    }


def of_classes(name, report):
    """The cells of each class of a run."""
    names = ("n", "auroc", "sensitivity", "specificity", "precision", "f1")
    for label, figures in report["per_class"].items():
        cells = {key: figures[key] if key == "n" else cell(figures[key]) for key in names}
        yield {"run": name, "class": label, **cells}


def printed(rows):
    """Print dicts with the same keys as a Markdown table."""
    print("| " + " | ".join(rows[0]) + " |", "|" + "---|" * len(rows[0]), sep="\n")
    for cells in rows:
        print("| " + " | ".join(map(str, cells.values())) + " |")


def main():
    """Print the table, and with three or more classes that of each class."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", nargs="+", metavar="RUN")
    parser.add_argument("--threshold-rule", metavar="RULE", help="As for `medxray train`; two classes.")
    args = parser.parse_args()
    found = [stored(path) for path in args.runs]
    if len({tuple(report["classes"]) for _, _, report, _ in found}) > 1:
        parser.error("the runs have different classes; name runs of one task")
    further = [by_rule(path, args.threshold_rule) if args.threshold_rule else {} for path in args.runs]
    printed([row(*one) | more for one, more in zip(found, further, strict=True)])
    if any(len(report["classes"]) > 2 for _, _, report, _ in found):
        print()
        printed([cells for name, _, report, _ in found for cells in of_classes(name, report)])


if __name__ == "__main__":
    main()
