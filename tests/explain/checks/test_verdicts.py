"""Words about checks that say little."""

from medxray.explain.checks.verdicts import explanation_lines, verdict_line
from medxray.metrics.intervals import estimate


def found(**figures):
    interval = {"value": 0.1, "minus_random": estimate(0.0, None), "minus_centre": estimate(0.0, None)}
    same = {"passed": True, "rank_correlation": 0.0, "ssim": 0.0, "between_images": 0.0}
    return {
        **dict.fromkeys(("deletion", "insertion", "road"), interval),
        "n": 16,
        "constant_maps": 0,
        "randomisation": same,
        "repeatability": "exact",
        "lowered": None,
        **figures,
    }


def test_many_maps_without_heat_make_the_randomisation_check_say_little():
    few, many = (verdict_line("cam", found(constant_maps=count)) for count in (3, 4))
    assert "3 of 16 maps are the same everywhere" in few and "says little" not in few
    assert "4 of 16 maps are the same everywhere and count as 0 there, so that check says little" in many


def lines(**scores):
    report = {"regions": None, "methods": {}, "skipped": {}, "scores": scores}
    return "\n".join(explanation_lines(report))


def test_it_is_told_where_covered_images_score_as_high_as_the_images():
    assert "say little here" not in lines(original=0.8, filled=0.1, blurred=0.7)
    told = lines(original=0.49, filled=0.99, blurred=0.2)
    assert "Covered images score 0.99 and blurred ones 0.20 in the mean, the images themselves 0.49" in told
