"""The page in a browser: the slider's arithmetic, what it moves, and accessibility.

These tests need Chromium, and are skipped where there is none. That of accessibility also needs the file that the
environment variable MEDXRAY_AXE names, `axe.min.js` of the npm package axe-core.
"""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from medxray.metrics.net_benefit import decision_curve
from medxray.report.contents import read_contents
from medxray.report.report import report_page
from medxray.report.reportable import ReportFile
from tests.fixtures.browser import in_browser, needs_chromium

pytestmark = needs_chromium
THRESHOLDS = (-3.0, -0.4, 0.0, 0.7, 4.0)
_READ = """
const cells = () => Object.fromEntries(["tp", "fp", "fn", "tn"].map(
  key => [key, Number(document.getElementById("cell-" + key).textContent)]));
const rates = () => Object.fromEntries([...document.querySelectorAll("[id^=rate-]")].map(
  one => [one.id.slice(5), one.textContent]));
const point = key => document.getElementById("chart-" + key).data.find(one => one.meta === key);
const look = () => ({
  cells: cells(), rates: rates(), text: document.getElementById("threshold-text").textContent,
  spoken: document.getElementById("operating-status").textContent,
  valuetext: slider.getAttribute("aria-valuetext"), roc: [...point("roc").x, ...point("roc").y],
});
"""
_MOVE = """
const slider = document.getElementById("threshold"), found = { begin: null, moved: null, half: null, dark: null };
const wait = () => new Promise(done => setTimeout(done, 700));
window.requestAnimationFrame = draw => setTimeout(draw, 16); // a busy machine draws later than the virtual time goes
const arithmetic = THRESHOLDS.map(threshold => {
  const counts = confusionAt(page.operating.logOdds, page.operating.positive, threshold);
  return { counts, rates: ratesOf(counts), benefits: netBenefits(counts, threshold) };
});
const texts = [0, -9, 9, 0.7].map(probabilityText), all = thresholdsOf([2, 0, 2, 1], [0.5]);
(async () => {
  await wait();
  found.begin = look();
  slider.value = "5";
  slider.dispatchEvent(new Event("input"));
  await wait();
  found.moved = { ...look(), threshold: thresholdsOf(page.operating.logOdds, [page.operating.stored, 0])[5] };
  document.getElementById("to-half").click();
  await wait();
  found.half = look();
  document.getElementById("theme").click();
  found.dark = [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor];
  const width = [document.documentElement.scrollWidth, window.innerWidth];
  tell({ ...found, arithmetic, texts, all, width, errors });
})();
"""


@pytest.fixture(scope="module")
def contents(stored_run):
    return read_contents(stored_run.path)


@pytest.fixture(scope="module")
def seen(contents, tmp_path_factory):
    """What the page says of itself before and after its slider is moved."""
    script = _READ + _MOVE.replace("THRESHOLDS", json.dumps(THRESHOLDS))
    return in_browser(report_page(contents), script, tmp_path_factory.mktemp("browser"))


def counts_at(contents, threshold):
    log_odds = contents.predictions.log_odds(contents.decision.calibration)[:, 1]
    called, positive = log_odds >= threshold, contents.predictions.is_positive
    parts = {"tp": called & positive, "fp": called & ~positive, "fn": ~called & positive, "tn": ~called & ~positive}
    return {name: int(mask.sum()) for name, mask in parts.items()}


def test_counts_rates_and_net_benefit_are_those_of_the_library(seen, contents):
    positive, score = contents.predictions.is_positive, contents.predictions.score(contents.decision.calibration)
    for threshold, found in zip(THRESHOLDS, seen["arithmetic"], strict=True):
        counts = counts_at(contents, threshold)
        assert found["counts"] == counts
        assert found["rates"]["sensitivity"] == pytest.approx(counts["tp"] / positive.sum())
        assert found["rates"]["specificity"] == pytest.approx(counts["tn"] / (~positive).sum())
        called = counts["tp"] + counts["fp"]
        assert found["rates"]["ppv"] == (pytest.approx(counts["tp"] / called) if called else None)
        curve = decision_curve(positive, score, thresholds=[1 / (1 + np.exp(-threshold))])
        assert found["benefits"]["benefit"] == pytest.approx(curve.model[0])
        assert found["benefits"]["all"] == pytest.approx(curve.treat_all[0])


def test_thresholds_and_probabilities_by_hand(seen):
    assert seen["all"] == pytest.approx([-np.log(2), 0.5, 1.5, 2 + np.log(2)])
    assert seen["texts"] == ["0.500", "1.2e-4", "1 − 1.2e-4", "0.668"]


def test_the_slider_begins_at_the_stored_threshold(seen, contents):
    (tn, fp), (fn, tp) = contents.report["confusion_matrix"]
    assert seen["begin"]["cells"] == {"tp": tp, "fp": fp, "fn": fn, "tn": tn}
    assert seen["begin"]["text"] == seen["begin"]["valuetext"] == "0.400 (stored threshold)"
    assert seen["begin"]["rates"]["sensitivity"] == f"{contents.report['sensitivity']['value']:.3f}"


def test_moving_the_slider_moves_matrix_rates_point_and_what_is_read_aloud(seen, contents):
    moved, counts = seen["moved"], counts_at(contents, seen["moved"]["threshold"])
    assert moved["cells"] == counts != seen["begin"]["cells"]
    assert moved["roc"] == pytest.approx(
        [counts["fp"] / (counts["fp"] + counts["tn"]), counts["tp"] / (counts["tp"] + counts["fn"])]
    )
    assert f"{counts['tp']} true positives, {counts['fp']} false positives" in moved["spoken"]
    assert seen["half"]["cells"] == counts_at(contents, 0.0) and seen["half"]["text"] == "0.500"


def test_no_script_fails_and_nothing_is_fetched(seen):
    assert seen["errors"] == []


def test_the_button_turns_the_page_dark(seen):
    assert seen["dark"] == ["dark", "rgb(20, 23, 26)"]


def test_three_classes_are_drawn_without_an_error_on_a_narrow_screen(three_classes, tmp_path):
    script = "setTimeout(() => tell({ errors, wide: document.documentElement.scrollWidth - innerWidth, "
    script += "charts: document.querySelectorAll('.chart .main-svg').length }), 500);"
    found = in_browser(report_page(read_contents(three_classes.path)), script, tmp_path, width=500)
    assert found["errors"] == [] and found["charts"] >= 6 and found["wide"] <= 0


def test_links_of_a_report_in_a_notebook_stay_in_its_frame(contents, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report_page(contents), encoding="utf-8")
    frame = ReportFile(file)._repr_html_().replace('sandbox="allow-scripts"', "")  # so that this page may look into it
    script = "const inner = document.querySelector('iframe').contentWindow;"
    script += "setTimeout(() => { inner.document.querySelector('a[href=\"#card\"]').click(); setTimeout(() => "
    script += "tell([inner.document.title, inner.scrollY > 1000, errors]), 800); }, 2500);"
    found = in_browser(f"<body>{frame}</body>", script, tmp_path)
    assert found == ["run: medxray report", True, []]


@pytest.mark.skipif("MEDXRAY_AXE" not in os.environ, reason="MEDXRAY_AXE names no axe.min.js")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_there_is_no_accessibility_fault(contents, three_classes, tmp_path, theme):
    axe = Path(os.environ["MEDXRAY_AXE"]).read_text(encoding="utf-8").replace("</script", "<\\/script")
    script = f"document.documentElement.dataset.theme = '{theme}'; showTheme();"
    script += "document.querySelectorAll('details').forEach(one => { one.open = true; });"
    script += "axe.run().then(found => tell(found.violations.map(one => [one.id, one.impact, "
    script += "one.nodes.slice(0, 3).map(node => node.html.slice(0, 200) + node.failureSummary)])));"
    for run in (contents, read_contents(three_classes.path)):
        assert in_browser(report_page(run), f"{axe}</script><script>{script}", tmp_path) == []
