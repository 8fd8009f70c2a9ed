"""How many images and patients a report is of, in words."""


def images_and_patients(report):
    """Text such as "60 images, 31 patients".

    Args:
        report: dict with n, n_patients and, where it is known, n_unknown: images whose patient is unknown.
    """
    unknown = report["n"] and report.get("n_unknown") == report["n"]
    return f"{report['n']} images, " + ("patients unknown" if unknown else f"{report['n_patients']} patients")
