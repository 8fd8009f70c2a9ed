"""A run on other data beside its own test split, in words. No TensorFlow."""

from medxray.metrics.counts import images_and_patients
from medxray.metrics.intervals import estimate_text

WORDS = {
    "auroc": "AUROC",
    "sensitivity": "sensitivity",
    "specificity": "specificity",
    "balanced_accuracy": "balanced accuracy",
    "ece": "ECE",
    "nll": "NLL",
    "brier": "Brier",
    "refused": "refused by the gate",
}
_BEYOND = {
    "refused": "refused by the gate",
    "farther": "features that lie far out",
    "prevalence": "another prevalence",
}


def beside_test_rows(found):
    """The table of `elsewhere.beside_test` as rows of text with a header."""
    sides = {"own test split": found["internal"], "these data": found["external"]}
    sides = {name: side for name, side in sides.items() if side is not None}
    rows = [["", *sides], ["", *map(images_and_patients, sides.values())]]
    for name, words in WORDS.items():
        rows.append([words, *(estimate_text(side[name], undefined="-") for side in sides.values())])
    return rows


def far_line(found):
    """Whether the other data are far from those of the training, and by what that is told: one line."""
    told = [_refused(found), _farther(found["farther"]), _prevalence(found)]
    told = [text for text in told if text]
    if not told:
        return "How far these data are from those of the training is not known."
    reasons = ", ".join(_BEYOND[name] for name in found["far"])
    begin = f"Far from the training ({reasons})" if reasons else "Not far from the training"
    return f"{begin}: {'; '.join(told)}."


def _refused(found):
    inside, outside = found["internal"], found["external"]["refused"]
    if outside["value"] is None:
        return ""
    own = "" if inside is None or inside["refused"]["value"] is None else f", of the test split {_share(inside)}"
    return f"the gate refuses {100 * outside['value']:.1f} %{own}"


def _share(side):
    return f"{100 * side['refused']['value']:.1f} %"


def _farther(figure):
    if figure is None or figure["value"] is None:
        return ""
    value = 100 * figure["value"]
    return f"an image lies farther out than one of the test split in {value:.0f} % of pairs (alike: 50 %)"


def _prevalence(found):
    here, stored = found["external"]["prevalence"], found["decision_prevalence"]
    if not here or not stored:
        return ""
    names = list(here)[1:] if len(here) == 2 else list(here)
    told = ", ".join(f"{name} {here[name]:.2f} instead of {stored[name]:.2f}" for name in names)
    return f"prevalence: {told}"
