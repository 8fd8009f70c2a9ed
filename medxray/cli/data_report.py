"""The findings of `medxray data inspect` as lines of text."""

_SHOWN = 10


def report_lines(findings):
    """Lines (list of str) that tell an Audit to a person."""
    facts = findings.to_dict()
    parts = (
        _overview(facts),
        _counts(facts),
        _pictures(facts),
        _unused(facts),
        _repeats("Byte-identical files", facts["duplicates"]),
        _repeats("Look-alikes (perceptual hash)", facts["near_duplicates"]),
        _shared(facts["patients_in_two_splits"]),
        _size_probe(facts["size_auroc"]),
    )
    return [line for part in parts for line in part]


def kind_lines(kinds, picture):
    """Lines (list of str) that tell the clusters of a dataset.

    Args:
        kinds: embeddings.kinds.Kinds.
        picture: path of their picture.
    """
    counts = kinds.counts()
    rows = [("kind", *kinds.manifest.classes)]
    rows += [(str(kind), *(f"{count:,}" for count in found.values())) for kind, found in enumerate(counts)]
    return ["", *_table(rows, left=1), *(f"Warning: {text}" for text in kinds.warnings()), f"Pictures       {picture}"]


def _overview(facts):
    classes = ", ".join(f"{name} (positive)" if name == facts["positive"] else name for name in facts["classes"])
    unknown = facts["images_without_patient_id"]
    known = "known" if not unknown else f"unknown for {unknown} images, each counted as a patient of its own"
    return [
        f"Dataset        {facts['root']}",
        f"Task           {facts['task']}: {classes}",
        f"Images         {facts['images']:,} of {facts['patients']:,} patients",
        f"Patient ids    {known}",
    ]


def _counts(facts):
    rows = [("split", "class", "images", "patients")]
    rows += [
        (cell["split"] or "(none)", cell["label"], f"{cell['images']:,}", f"{cell['patients']:,}")
        for cell in facts["counts"]
    ]
    subtypes = ", ".join(f"{name} {count:,}" for name, count in facts["subtypes"].items())
    present = {cell["label"] for cell in facts["counts"] if cell["images"]}
    lines = ["", *_table(rows, left=2)]
    if subtypes:
        lines.append(f"Subtypes       {subtypes}")
    return lines + [f"Warning: there is no image of class {name}." for name in facts["classes"] if name not in present]


def _pictures(facts):
    rows = [("size", "min", "median", "max")]
    rows += [
        (name, *(f"{value:.2f}" if name == "aspect" else f"{value:.0f}" for value in values.values()))
        for name, values in facts["sizes"].items()
    ]
    tagged = facts["orientation_tags"]
    return [
        "",
        *_table(rows, left=1),
        *(f"Kind           {kind}: {count:,}" for kind, count in facts["formats"].items()),
        *([f"Turned?        {tagged:,} with an orientation tag, which is not applied"] if tagged else []),
    ]


def _unused(facts):
    lines = ["", f"Skipped        {len(facts['skipped']):,} files"]
    lines += _some([f"{item['path']}: {item['reason']}" for item in facts["skipped"]])
    if facts["ignored"]:
        lines.append("Not counted")
        lines += _some([f"{item['path']}: {item['reason']}" for item in facts["ignored"]])
    return lines


def _repeats(title, found):
    if found["note"]:
        return ["", f"{title}: {found['note']}"]
    if not found["groups"]:
        return ["", f"{title}: none"]
    lines = [
        "",
        f"{title}: {found['groups']} groups of {found['files']} files; {found['within_split']} within one split, "
        f"{found['across_splits']} across splits, {found['across_labels']} across labels, "
        f"{found['across_patients']} across patients",
    ]
    lines += ["  " + _files(group) for group in found["examples"]]
    certain = title.startswith("Byte")
    if found["across_splits"]:
        same = "the same picture lies" if certain else "look at them: if they are one picture, it lies"
        lines.append(f"  Warning: {same} in two splits; figures on them are too good.")
    if found["across_labels"]:
        same = "the same picture has" if certain else "look at them: if they are one picture, it has"
        lines.append(f"  Warning: {same} two labels; one of them is wrong.")
    return lines


def _files(group, shown=4):
    rest = f" = ... ({len(group) - shown} more)" if len(group) > shown else ""
    return " = ".join(group[:shown]) + rest


def _shared(patients):
    certain = [item for item in patients if item["kind"] == "certain"]
    lines = ["", f"Patients in two splits: {len(certain)}"]
    lines += _some([f"{item['patient_id']}: {item['splits']}, {item['images']} images" for item in certain])
    if certain:
        lines.append("  Warning: figures on these splits are too good.")
    if len(patients) > len(certain):
        lines.append(
            f"  {len(patients) - len(certain)} patient numbers more recur with another subtype: possibly other children"
        )
    return lines


def _size_probe(probe):
    if probe["value"] is None:
        return ["", f"Size-only AUROC: unknown, {probe['note']}"]
    note = f" ({probe['note']})" if probe["note"] else ""
    lines = ["", f"Size-only AUROC: {probe['value']:.3f}{note}"]
    if probe["warning"]:
        lines.append(
            "  Warning: width, height and aspect ratio alone predict the class. A model may learn size and "
            "not the disease; try --resize stretch, and compare."
        )
    return lines


def _some(lines):
    more = [f"  ... and {len(lines) - _SHOWN} more (all with --json)"] if len(lines) > _SHOWN else []
    return ["  " + line for line in lines[:_SHOWN]] + more


def _table(rows, *, left):
    """Aligned lines; the first `left` columns flush left, the others right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column < left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
