"""What an adaptation found, in words. No TensorFlow."""

from medxray.metrics.intervals import estimate_text

_WORDS = {"nll": "NLL", "ece": "ECE", "balanced_accuracy": "balanced accuracy"}


def rows(found):
    """Figures before and after, patients left out, and their difference, as rows of text with a header."""
    table = [["patients left out", "before", "after", "change"]]
    for name in _in_order(found["before"]):
        change = found["change"][name]
        shown = [estimate_text(found[side][name], undefined="-") for side in ("before", "after")]
        table.append([_WORDS.get(name, name), *shown, _signed(change)])
    return table


def _in_order(figures):
    first = [name for name in ("nll", "ece") if name in figures]
    own = sorted((name for name in figures if name.startswith(("sensitivity", "specificity"))), key=_place)
    return [*first, *own, "balanced_accuracy"]


def _place(name):
    return not name.startswith("sensitivity")


def _signed(change):
    if change["value"] is None:
        return "-"
    interval = "" if change["ci95"] is None else f" [{change['ci95'][0]:+.3f}, {change['ci95'][1]:+.3f}]"
    return f"{change['value']:+.3f}{interval}"


def lines(found):
    """What stands around the table: (lines above it, lines below it)."""
    patients = ", ".join(f"{count} of {name}" for name, count in found["patients"].items())
    how = "as in the sample" if found["consecutive"] else "as given"
    above = [
        f"{found['site']}: {found['n']} images, {found['n_patients']} patients ({patients}).",
        f"Prevalence {_prevalence(found['prevalence'])} ({how}){_stored(found)}.",
    ]
    below = [f"Figures before and after are of patients who had no part in the fit ({found['folds']} folds)."]
    below += _decision(found) + precision_lines(found["precision"]) + _gate(found["refused"])
    return above, [*below, *(f"Note: {note}" for note in found["notes"]), verdict(found), *price(found)]


def verdict(found):
    """Whether the adaptation is kept, and why."""
    before, after = (found[side]["nll"]["value"] for side in ("before", "after"))
    if not found["kept"]:
        return (
            f"Not kept: the NLL of patients left out does not fall ({before:.4f} before, {after:.4f} after). The run's "
            "decision stays, and no new run is written."
        )
    interval = found["change"]["nll"]["ci95"]
    sure = "" if interval is not None and interval[1] < 0 else ", though its interval holds 0"
    return f"Kept: the NLL of patients left out falls ({before:.4f} before, {after:.4f} after{sure})."


def price(found):
    """List of a line where better probabilities are paid for with surely worse labels."""
    change = found["change"]["balanced_accuracy"]
    if not found["kept"] or change["ci95"] is None or change["ci95"][1] >= 0:
        return []
    return [
        f"Beware: the probabilities are better, but balanced accuracy changes by {_signed(change)}. Look at "
        "sensitivity and specificity before you use it."
    ]


def _prevalence(shares):
    names = list(shares)
    return ", ".join(f"{name} {shares[name]:.3g}" for name in (names[1:] if len(names) == 2 else names))


def _stored(found):
    stored = found["stored_prevalence"]
    return "" if stored is None else f"; the stored probabilities are for {_prevalence(stored)}"


def _decision(found):
    old, new = found["stored"], found["adapted"]
    told = [
        f"Temperature {old['temperature']:.3f} -> {new['temperature']:.3f}, bias {_bias(old)} -> {_bias(new)} "
        f"(slope {found['slope']:.3f} on the stored log-odds)."
    ]
    if new["threshold"] is not None:
        values = f"{old['threshold']['value']:.4f} -> {new['threshold']['value']:.4f}"
        told.append(f"Threshold {values}: {found['threshold_kept']}.")
    return told


def _bias(decision):
    return "/".join(f"{value:+.3f}" for value in decision["bias"][1:]) or "0"


def precision_lines(precision):
    """How many patients of each class the wished precision needs, list of str; `precision` as `adapt` returns it."""
    return [_needed(name, entry, precision["wished"]) for name, entry in precision["classes"].items()]


def _needed(name, entry, wished):
    """How many patients of a class the wished precision needs; with luck these are fewer than are to be expected."""
    begin = f"{entry['figure'].capitalize()} to within {wished:g}: "
    if entry["half_width"] <= wished and entry["needed"] > entry["patients"]:
        return (
            f"{begin}these {entry['patients']} patients of {name} tell it to within {entry['half_width']:.3f}; others "
            f"may need about {entry['needed']}, if the figure is less extreme there."
        )
    return (
        f"{begin}about {entry['needed']} patients of {name} are needed; these {entry['patients']} tell it to within "
        f"{entry['half_width']:.2f}."
    )


def _gate(refused):
    if refused["value"] is None:
        return []
    return [f"The gate refuses {100 * refused['value']:.1f} % of these images; an adaptation cannot mend what it sees."]
