"""The verdict in words."""

from medxray.explain.audit.verdict import verdict_line


def found(changed, n):
    return {"value": changed / n if n else None, "ci95": [0.1, 0.5] if n else None, "n": n, "changed": changed}


def share(value, ci95, uniform):
    return {"value": value, "ci95": ci95, "n": 20, "uniform": uniform}


def report(border, corners, outside, marker, *, partners=1, border_share=None, outside_lungs_share=None):
    auroc = {"auroc": {"value": 0.75, "ci95": [0.5, 0.9]}}
    return {
        "border_share": border_share or share(None, None, 0.36),
        "outside_lungs_share": outside_lungs_share or share(None, None, None),
        "partners": partners,
        "changed_by_border": found(*border),
        "changed_by_marker_region": found(*corners),
        "changed_by_outside_lungs": found(*outside),
        "flipped_by_marker": found(*marker),
        "model": {"without_lungs": auroc},
        "shortcuts": {"size": {"auroc": {"value": None, "ci95": None}}, "border_pixels": auroc},
    }


ALONE = "AUROC without the lungs 0.750 [0.500, 0.900], of image size alone unknown, of border pixels alone 0.750"


def test_the_shortcut_that_moves_the_largest_share_comes_first():
    line = verdict_line(report((2, 20), (1, 20), (0, 10), (8, 20)))
    assert line.startswith(
        "Most answers move with a pasted marker: 8 of 20 (0.400 [0.100, 0.500]); with another image's border: 2 of 20; "
        "with another image's upper corners: 1 of 20; with another image outside the lungs: 0 of 10. No map has heat. "
        + ALONE
    )


def test_what_was_not_tested_is_told():
    line = verdict_line(report((0, 20), (0, 20), (0, 0), (0, 20)))
    assert line.startswith("No answer moves with another image's border: 0 of 20; ")
    assert "Not tested, since no lungs were found: with another image outside the lungs." in line


def test_counts_that_are_means_over_other_images_are_told_as_such():
    line = verdict_line(report((7 / 3, 20), (1, 20), (0, 10), (0, 20), partners=3))
    assert line.startswith("Most answers move with another image's border: 2.3 of 20 (0.117 [0.100, 0.500]); ")
    assert "with another image's upper corners: 1 of 20; " in line
    assert "Counts with another image are means over 3 such images. No map has heat. " + ALONE in line


def test_heat_on_the_borders_is_in_the_verdict():
    """Much heat counts where the whole interval is above what a uniform map has."""
    much, usual = share(0.48, [0.42, 0.54], 0.36), share(0.55, [0.5, 0.6], 0.53)
    line = verdict_line(report((0, 20), (0, 20), (0, 10), (0, 20), border_share=much, outside_lungs_share=usual))
    assert (
        "Share of the heat in the border 0.480 [0.420, 0.540] (more than a uniform map has, 0.360), outside the lungs "
        "0.550 [0.500, 0.600] (uniform 0.530). AUROC" in line
    )
    without_interval = verdict_line(report((0, 2), (0, 2), (0, 0), (0, 2), border_share=share(0.9, None, 0.36)))
    assert "Share of the heat in the border 0.900 (uniform 0.360). AUROC" in without_interval


def test_a_classifier_that_an_earlier_version_did_not_fit_is_left_out():
    whole = report((0, 20), (0, 20), (0, 10), (0, 20))
    assert "outside the lungs alone" not in verdict_line(whole)
    whole["shortcuts"]["lungs_masked"] = {"auroc": {"value": 0.6, "ci95": None}}
    assert verdict_line(whole).endswith("of pixels outside the lungs alone 0.600.")
