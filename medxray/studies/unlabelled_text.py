"""An estimate of a prevalence without labels, in words. No TensorFlow."""

from medxray.metrics.intervals import estimate_text


def lines(found):
    """An estimate in words, list of lines."""
    told = [f"{found['site']}: {found['n']} images without labels, {found['n_patients']} patients."]
    names = list(found["prevalence"])
    for name in names[1:] if len(names) == 2 else names:
        stored = found["stored_prevalence"][name]
        told.append(
            f"Prevalence of {name}: {estimate_text(found['prevalence'][name])}; the stored probabilities are for "
            f"{stored:.3f}."
        )
    told.append("It holds where the images of each class look as they did in training; only labels can tell.")
    if found["refused"]["value"] is not None:
        told.append(f"The gate refuses {100 * found['refused']['value']:.1f} % of these images.")
    points = found["thresholds"]
    if points is not None:
        errors, price = points["same_errors"], points["same_price"]
        told += [
            f"Stored threshold {points['stored']:.4f} ({points['rule']}). For this prevalence it could",
            "- stay, which keeps sensitivity and specificity: "
            f"{estimate_text(errors['corrected_scale'])} of probabilities corrected for the prevalence;",
            "- become, which keeps what a false alarm may cost in missed patients: "
            f"{estimate_text(price['stored_scale'])} of the run's own probabilities.",
        ]
    told += [f"Note: {note}" for note in found["notes"]]
    return [*told, "Nothing was changed: the run's decision stays as it is."]
