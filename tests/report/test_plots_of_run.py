"""Plots of a stored run by name: each kind, in each format, and what the run lacks."""

import shutil
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from medxray.errors import ConfigError, RunError
from medxray.report.plots_of_run import KINDS, NoPlot, draw_plots, plot_kinds, plot_of
from medxray.runs.directory import RunDir
from medxray.system import storage
from tests.fixtures.stored_embeddings import keep_embeddings
from tests.fixtures.stored_runs import write_stored_run

STORED = ("history", "flow", "roc", "precision_recall", "confusion", "confusion_normalised", "reliability")
STORED += ("score_histogram", "decision_curve", "risk_coverage", "gallery", "errors", "subgroups")
LACKING = {
    "shifts": "medxray evaluate RUN --split test --shifts",
    "similar": "medxray embed extract RUN",
    "audit": "medxray explain audit RUN --split test",
    "cohort": "medxray explain cohort RUN --split test",
    "faithfulness": "medxray explain evaluate RUN --split test",
    "randomisation": "medxray explain evaluate RUN --split test",
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_stored_run(tmp_path_factory.mktemp("plotted"))


@pytest.fixture
def copied(run, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    return RunDir(tmp_path / "run")


def text_of(figure):
    from matplotlib.text import Text

    return " ".join(one.get_text() for one in figure.findobj(Text))


@pytest.mark.parametrize("kind", STORED)
def test_each_kind_that_the_run_holds_is_drawn_without_texts_that_collide(run, kind, colliding_texts):
    figure = plot_of(run.path, kind)
    assert isinstance(figure, Figure) and text_of(figure).strip()
    assert colliding_texts(figure) == []


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_all_plots_are_written_in_each_format_and_can_be_opened(run, tmp_path, suffix):
    files, lacking = draw_plots(run.path, plot_kinds("all"), out=tmp_path / "out", suffix=suffix)
    names = [f"{kind}.{suffix}" if kind in ("history", "flow") else f"test_{kind}.{suffix}" for kind in STORED]
    assert sorted(file.name for file in files) == sorted(names)
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == sorted(names)
    assert set(lacking) == set(LACKING)
    for file in files:
        check_file(file, suffix)


def check_file(file, suffix):
    content = file.read_bytes()
    if suffix == "png":
        assert imread(file).std() > 0.05
    elif suffix == "svg":
        root = ElementTree.fromstring(content)
        assert root.tag.endswith("}svg") and len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 10
    else:
        assert content.startswith(b"%PDF-") and content.rstrip().endswith(b"%%EOF")
        assert content.count(b"/Type /Page ") + content.count(b"/Type /Page\n") == 1


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_the_same_run_gives_the_same_bytes(run, tmp_path, suffix):
    written = [draw_plots(run.path, ["roc"], out=tmp_path / name, suffix=suffix)[0][0].read_bytes() for name in "ab"]
    assert written[0] == written[1]


@pytest.mark.parametrize("kind", LACKING)
def test_a_kind_that_the_run_lacks_is_told_with_the_command_that_makes_it(run, kind):
    with pytest.raises(NoPlot, match=LACKING[kind].replace("RUN", str(run.path))):
        plot_of(run.path, kind)


def test_names_may_have_hyphens_and_the_words_of_the_field():
    assert plot_kinds("roc,pr, score-histogram,calibration,net-benefit,roc") == [
        "roc",
        "precision_recall",
        "score_histogram",
        "reliability",
        "decision_curve",
    ]
    assert plot_kinds("all") == list(KINDS)
    with pytest.raises(ConfigError, match="must be one of history, flow, roc, .* Received 'rok'"):
        plot_kinds("roc,rok")


def test_curves_have_the_bands_of_the_report(run):
    from medxray.metrics.bands import curve_bands
    from medxray.report.contents import read_contents

    contents = read_contents(run.path)
    predictions, scores = contents.predictions, contents.predictions.log_odds(contents.decision.calibration)[:, 1]
    bands = curve_bands(predictions.is_positive, scores, predictions.patient_ids, predictions.y_true)
    for kind, band in zip(("roc", "pr"), bands, strict=True):
        figure = plot_of(run.path, kind)
        (drawn, *_) = figure.axes[0].collections
        points = drawn.get_paths()[0].vertices
        assert points[:, 1].min() == pytest.approx(band.low.min(), abs=1e-9)
        assert points[:, 1].max() == pytest.approx(band.high.max(), abs=1e-9)
        assert "95 % band, pointwise, by patient" in text_of(figure)


def test_the_learning_rate_of_each_epoch_is_drawn(run):
    figure = plot_of(run.path, "history")
    (line,) = [one for one in figure.axes[2].get_lines() if one.get_label() == "learning rate"]
    np.testing.assert_allclose(line.get_ydata(), [1e-3, 1e-3, np.nan, 1e-4, 5e-5])
    assert figure.axes[2].get_yscale() == "log"


def test_flow_has_the_counts_of_run_json_and_what_was_left_out(run):
    figure = plot_of(run.path, "flow")
    counts = run.read_record()["data"]["counts"]
    widths = [bar.get_width() for axes in figure.axes[:1] for bar in axes.patches]
    assert sorted(widths) == sorted(row["images"] for row in counts)
    assert "120 images; 1 file left out" in figure.get_suptitle()


def test_subgroups_stand_beside_the_whole_split(run):
    figure = plot_of(run.path, "subgroups")
    report = storage.read_json(run.metrics_file)["splits"]["test"]
    parts = report["subgroups"]["subtype"]
    drawn = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if line.get_marker() == "o"]
    assert drawn == pytest.approx([figures["auroc"]["value"] for figures in parts.values()])
    dotted = [line.get_xdata()[0] for line in figure.axes[0].get_lines() if line.get_linestyle() == ":"]
    assert dotted == [report["auroc"]["value"]]


def test_another_split_can_be_named(run, tmp_path):
    (file,), _ = draw_plots(run.path, ["roc"], split="val", out=tmp_path)
    assert file.name == "val_roc.png" and "val split" in plot_of(run.path, "roc", split="val").get_suptitle()
    with pytest.raises(RunError, match=f"no figures of the train split. Evaluate it: .* {run.path} --split train"):
        plot_of(run.path, "roc", split="train")


def test_three_classes_lack_only_what_needs_two(tmp_path):
    run = write_stored_run(tmp_path, classes=("NORMAL", "BACTERIAL", "VIRAL"))
    _, lacking = draw_plots(run.path, STORED, out=tmp_path / "out")
    assert set(lacking) == {"decision_curve", "subgroups"} and lacking["decision_curve"] == "it needs two classes"


def test_images_and_history_that_are_gone_are_told(tmp_path):
    run = write_stored_run(tmp_path, images=False, n=20)
    run.history_file.unlink()
    _, lacking = draw_plots(run.path, ["history", "gallery"], out=tmp_path / "out")
    assert "not trained by epochs" in lacking["history"] and "are gone from their place" in lacking["gallery"]


def test_shifts_audit_cohort_and_checks_that_the_run_holds_are_drawn(copied):
    write_further(copied)
    keep_embeddings(copied)
    for kind in LACKING:
        assert text_of(plot_of(copied.path, kind)).strip()
    assert "crop" in text_of(plot_of(copied.path, "shifts"))


def write_further(run):
    """Shifted views, a shortcut audit, mean heatmaps and a check of heatmaps, as the commands leave them."""
    estimate = {"value": 0.8, "ci95": [0.7, 0.9], "n": 10}
    scope = {"split": "test", "n": 10, "n_patients": 5, "explained": "PNEUMONIA", "method": "gradcam"}
    metrics = storage.read_json(run.metrics_file)
    figures = {"auroc": 0.9, "sensitivity": 0.8, "specificity": 0.7, "ece": 0.1}
    metrics["splits"]["test"]["shifts"] = {"families": {"crop": {"1": figures, "2": figures}}, "clean": figures}
    storage.write_json(run.metrics_file, metrics)
    changed = estimate | {"mean_colour": estimate}
    audit = scope | {f"changed_by_{name}": changed for name in ("border", "marker_region", "outside_lungs", "lungs")}
    audit |= {"flipped_by_marker": {"by_severity": {"1": estimate}}}
    audit |= {"model": {name: {"auroc": estimate, "n": 10} for name in ("unchanged", "with_lungs", "without_lungs")}}
    audit |= {"shortcuts": {name: {"auroc": estimate, "n": 10} for name in ("size", "border_pixels")}}
    own = run.own_evaluation("test")
    storage.write_json(own.shortcut_audit.report_file, audit)
    group = {"n": 5, "n_patients": 3, "note": ""}
    storage.write_json(own.cohort.report_file, scope | {"groups": {"all": group}, "differences": {}})
    maps = {"mean_heat": np.ones((1, 8, 8)), "mean_image": np.full((1, 8, 8), 99.0), "lungs": np.zeros((1, 8, 8))}
    names = {"groups": np.array(["all"]), "difference_names": np.array([], str)}
    storage.write_npz(own.cohort.maps_file, **maps, **names, differences=np.zeros((0, 8, 8)))
    curves = {name: {"curve": [0.9, 0.5, 0.2]} for name in ("deletion", "insertion", "road")}
    depths = [{"randomised": "logits", "rank_correlation": 0.4}]
    checked = {"randomisation": {"depths": depths, "passed": True, "between_images": 0.3}}
    report = {"references": {"random": curves}, "methods": {"gradcam": curves | checked}}
    report |= {"fractions": dict.fromkeys(curves, [0.5]), "better": dict.fromkeys(curves, "lower")}
    storage.write_json(own.explanations.report_file, scope | report)


def test_damaged_mean_heatmaps_are_an_error(copied):
    write_further(copied)
    copied.own_evaluation("test").cohort.maps_file.write_bytes(b"PK\x03\x04 no archive")
    with pytest.raises(RunError, match="cohort.npz cannot be read"):
        plot_of(copied.path, "cohort")


def test_a_figure_shows_itself_in_a_notebook(run):
    shown = plot_of(run.path, "roc")._repr_png_()
    assert shown.startswith(b"\x89PNG\r\n") and len(shown) > 5000


def test_the_command_names_each_file_and_says_what_is_missing(medxray, run, tmp_path):
    status, out, err = medxray("plot", run.path, "--kind", "roc", "--format", "svg", "--out", tmp_path / "out")
    assert (status, out, err) == (0, f"{tmp_path / 'out' / 'test_roc.svg'}\n", "")
    status, out, err = medxray("plot", run.path, "--out", tmp_path / "all")
    assert status == 0 and len(out.splitlines()) == len(STORED)
    assert [line.split(": ")[:2] for line in err.splitlines()] == [["Not drawn", kind] for kind in LACKING]
    status, out, err = medxray("plot", run.path, "--kind", "roc,shifts", "--out", tmp_path / "two")
    assert status == 1 and len(out.splitlines()) == 1 and err.startswith("Error: shifts: the run has no shifted views")
    status, out, err = medxray("plot", run.path, "--kind", "rok")
    assert (status, out) == (2, "") and err.count("\n") == 1
    status, _, err = medxray("plot", tmp_path / "none")
    assert status == 1 and err.startswith("Error: There is no run at ")


def test_plots_go_beside_those_of_the_evaluation(copied, medxray):
    status, out, _ = medxray("plot", copied.path, "--kind", "flow,roc", "--format", "pdf")
    assert status == 0
    assert out.splitlines() == [str(copied.path / "plots" / name) for name in ("flow.pdf", "test_roc.pdf")]


def test_a_folder_that_cannot_be_written_is_one_line(medxray, run, tmp_path):
    (tmp_path / "file").write_text("in the way")
    status, out, err = medxray("plot", run.path, "--kind", "roc", "--out", tmp_path / "file")
    assert (status, out) == (1, "") and err.startswith("Error: Could not write") and err.count("\n") == 1


def test_plots_of_a_run_load_no_tensorflow(run):
    import subprocess
    import sys

    code = (
        "import sys; from medxray.report.plots_of_run import plot_of; plot_of(sys.argv[1], 'roc');"
        "print([name for name in ('tensorflow', 'keras', 'matplotlib.pyplot') if name in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code, str(run.path)], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_errors_stand_beside_the_training_images_that_are_most_similar(copied, colliding_texts):
    keep_embeddings(copied)
    figure = plot_of(copied.path, "similar")
    titles = [axes.get_title() for axes in figure.axes if axes.axison]
    errors = sum(title.startswith("predicted ") for title in titles)
    assert 1 <= errors <= 8 and len(titles) == 3 * errors  # there are two training images
    distances = [axes.get_xlabel() for axes in figure.axes if axes.axison and not axes.get_title().startswith("pred")]
    first = [float(text.removeprefix("distance ")) for text in distances[:2]]
    assert first == sorted(first) and "file cannot" in text_of(figure) and colliding_texts(figure) == []
