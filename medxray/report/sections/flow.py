"""Where images and patients went: found, left out, split, evaluated."""

from medxray.data.images.access import path_text
from medxray.report.elements import bullets, details, element, joined, table
from medxray.report.section import Section

_SHOWN = 20  # files left out that are named


def flow(contents):
    """A diagram in boxes, and the counts of each class as a table."""
    data = contents.record.get("data", {})
    counts, skipped = data.get("counts", []), data.get("skipped", [])
    kept = sum(row["images"] for row in counts)
    boxes = [
        _box("Image files", f"{kept + len(skipped):,} found"),
        _box("Left out", f"{len(skipped):,} unreadable or unusable"),
        _box("Used", f"{kept:,} images"),
    ]
    splits = [_split(split, counts, contents.reports.get(split)) for split in _splits(counts)]
    rows = [["split and class", "images", "patients"]]
    rows += [[f"{row['split']}, {row['label']}", row["images"], row["patients"]] for row in counts]
    body = joined(
        element("ol", *boxes, class_="flow"),
        element("ol", *splits, class_="flow splits"),
        table(rows, caption="Images and patients of each split and class"),
        _grouping(contents),
        _left_out(skipped),
    )
    return Section("flow", "Images and patients", body)


def _box(title, *lines):
    return element("li", element("strong", title), *(element("span", line) for line in lines))


def _splits(counts):
    return dict.fromkeys(row["split"] for row in counts)


def _split(split, counts, report):
    rows = [row for row in counts if row["split"] == split]
    images = sum(row["images"] for row in rows)
    lines = [
        f"{images:,} images",
        *(f"{row['label']}: {row['images']:,} images of {row['patients']:,} patients" for row in rows),
    ]
    if report is not None:
        lines.append(f"evaluated: {report['n']:,} images of {report['n_patients']:,} patients")
    return _box(split or "no split", *lines)


def _grouping(contents):
    data = contents.record.get("data", {})
    if data.get("grouped") is False:
        return element("p", "Patients are unknown: one patient may be in several splits, and figures may be too good.")
    held = contents.record.get("holdout", {}).get("note")
    return held and element("p", held)


def _left_out(skipped):
    if not skipped:
        return None
    more = [f"{len(skipped) - _SHOWN:,} more"] if len(skipped) > _SHOWN else []
    named = [f"{path_text(one['path'])}: {one['reason']}" for one in skipped[:_SHOWN]]
    return details("Files left out", bullets(named + more))
