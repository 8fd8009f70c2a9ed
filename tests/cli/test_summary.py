"""The table that train, evaluate and embed knn print."""

from medxray.cli.summary import OF_A_CLASS, summary_lines
from medxray.metrics.report import HEADLINE


def report(split, *, n, notes=(), threshold=0.25, **figures):
    values = {name: {"value": 0.5, "ci95": [0.25, 0.75]} for name in HEADLINE} | figures
    point = None if threshold is None else {"value": threshold, "rule": "youden", "chosen_on": "val"}
    rest = {"calibration": {"temperature": 1.25, "bias": [0.0, -0.5]}, "notes": list(notes), "threshold": point}
    rest |= {"fitted_here": split == "val", "decided_on": "clean"}
    return {"split": split, "n": n, "n_patients": n // 2, "classes": ["NORMAL", "PNEUMONIA"]} | values | rest


def three(**figures):
    return {name: report(name, n=123456, **figures) for name in ("train", "val", "test")}


def test_the_split_that_the_decision_was_fitted_on_says_so():
    lines = summary_lines(three())
    assert lines[2].split() == ["decision", "fitted", "here"]
    assert lines[2].rstrip().endswith("here") and len(lines[2].rstrip()) == len(
        lines[0].rstrip().removesuffix("test").rstrip()
    )
    assert not any("fitted here" in line for line in summary_lines({"test": report("test", n=8)}))


def test_every_headline_figure_is_a_row_under_its_split():
    lines = summary_lines(
        {"train": report("train", n=8), "test": report("test", n=10, mcc={"value": -0.5, "ci95": [-0.75, -0.25]})}
    )
    assert lines[0].split() == ["train", "test"] and lines[1].split("  ")[-1] == "10 images, 5 patients"
    assert [line.split()[0] for line in lines[2:-2]] == list(HEADLINE)
    (mcc,) = [line for line in lines if line.startswith("mcc")]
    assert mcc.split("  ")[-1] == "-0.500 [-0.750, -0.250]" and "0.500 [0.250, 0.750]" in mcc
    assert len({len(line) for line in lines[:-2]}) == 1  # columns stand below each other
    assert lines[-2] == "Threshold 0.2500 (youden, chosen on: val)."
    assert lines[-1] == "Calibration: temperature 1.250, bias PNEUMONIA -0.500."


def test_unknown_patients_are_not_counted_as_known_ones():
    header = {n: summary_lines({"test": report("test", n=8) | {"n_unknown": n}})[1].strip() for n in (0, 7, 8)}
    assert header == {0: "8 images, 4 patients", 7: "8 images, 4 patients", 8: "8 images, patients unknown"}


def test_the_plain_error_of_an_autoencoder_stands_below_its_auroc():
    splits = {"test": report("test", n=8, plain_mse_auroc={"value": 0.75, "ci95": [0.5, 1.0]})}
    lines = summary_lines(splits, further=("plain_mse_auroc",))
    assert lines[2].split()[0] == "auroc" and lines[3].split() == ["plain_mse_auroc", "0.750", "[0.500,", "1.000]"]


def test_three_splits_fit_into_110_columns():
    lines = summary_lines(three(mcc={"value": -0.123, "ci95": [-0.234, -0.012]}))
    assert max(map(len, lines)) <= 110 and "123456 images, 61728 patients" in lines[1]


def test_missing_figures_intervals_and_thresholds():
    lines = summary_lines(three(npv={"value": None}, nll={"value": 0.4, "ci95": None}, threshold=None))
    assert [line.split()[1:] for line in lines if line.startswith("npv")] == [["-", "-", "-"]]
    assert [line.split()[1:] for line in lines if line.startswith("nll")] == [["0.400", "0.400", "0.400"]]
    assert not any(line.startswith("Threshold") for line in lines)


def test_each_note_is_told_once_with_the_splits_it_is_of():
    splits = {
        "train": report("train", n=4, notes=["A sample.", "All have one size."]),
        "val": report("val", n=4),
        "test": report("test", n=4, notes=["All have one size."]),
    }
    assert summary_lines(splits)[-2:] == ["Note (train): A sample.", "Note (train, test): All have one size."]


def test_a_sample_of_shifted_views_is_told_below_the_table_with_what_was_taken():
    splits = {"test": report("test", n=4) | {"shifts_sample": {"n": 0, "n_patients": 0, "note": "Left out."}}}
    assert summary_lines(splits)[-1] == "Left out."


def test_three_classes_have_figures_of_each_class_behind_the_means():
    classes = ["NORMAL", "BACTERIAL", "VIRAL"]
    own = {name: {figure: {"value": 0.75, "ci95": None} for figure in OF_A_CLASS} for name in classes}
    split = report("test", n=8, threshold=None, per_class=own) | {"classes": classes}
    split["calibration"] = {"temperature": 1.0, "bias": [0.0, 0.5, 0.25]}
    lines = summary_lines({"test": split})
    rows = [line for line in lines if line.split()[-1:] == ["0.750"]]
    assert [row.rsplit(maxsplit=1)[0].strip() for row in rows] == [
        f"{figure} {name}" for name in classes for figure in OF_A_CLASS
    ]
    assert "Figures without a class are means over the classes, each against the others." in lines
    assert not any(" NORMAL" in line for line in summary_lines({"test": report("test", n=8)}))
