"""A map of embeddings as one HTML file that needs nothing else: hovering shows the image."""

import html

import numpy as np

from medxray.embeddings.map import METHOD_NAMES
from medxray.embeddings.map_script import SCRIPT, STYLE
from medxray.metrics.intervals import estimate_text
from medxray.plots import style
from medxray.system.script_json import script_json

_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}</h1>
<p>{counts} {sample}</p>
<main>
<section>
<fieldset id="classes"><legend>Class</legend></fieldset>
<fieldset id="splits"><legend>Split</legend></fieldset>
<noscript><p>The map is drawn by a script in this file, and scripts are switched off.</p></noscript>
<svg id="map" viewBox="0 0 800 640" role="img" aria-label="{title}"></svg>
<p class="axes">Across: {across}. Up: {up}. Hover shows an image; a click keeps it, and a second one lets it go.</p>
</section>
<aside>
<div id="card" hidden><img id="picture" alt="" width="192"><p id="missing">The image cannot be read.</p><dl id="facts">
</dl></div>
<table><caption>{caption}</caption>
<thead><tr><th scope="col">images</th><th scope="col">n</th><th scope="col">purity</th><th scope="col">silhouette</th>
</tr></thead>
<tbody>
{rows}
</tbody></table>
{notes}
<p>Purity and silhouette belong to the original vectors, not to this map; intervals are 95 %, by resampling patients
with every image's value kept. Distances between groups on a t-SNE map mean nothing.</p>
</aside>
</main>
<footer>Research software, not a medical device. Model weights: {digest}</footer>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def scatter_page(embeddings, projection, structure, *, rows, thumbnails, seed):
    """The page as text.

    Args:
        embeddings: Embeddings.
        projection: their Projection.
        structure: their `neighborhood.structure_report`.
        rows: int array, the images to show.
        thumbnails: for each of them the base64 text of a JPEG, or None.
        seed: of the choice of `rows`, which the page states.

    Returns:
        str, HTML. Nothing of the data becomes markup or script, whatever names files, classes and patients have.
    """
    title = f"Pooled features of {embeddings.run} by {METHOD_NAMES[projection.method]}"
    patients = len(np.unique(embeddings.patients))
    texts = {
        "title": title,
        "policy": _POLICY,
        "counts": f"{style.counted(len(embeddings), 'image')}, {style.counted(patients, 'patient')}.",
        "sample": _sample(embeddings, rows, thumbnails, seed),
        "across": projection.axes[0],
        "up": projection.axes[1],
        "caption": (
            f"Purity: share of the {structure['k']} nearest images of other patients that have the same label "
            f"({structure['metric']} distance; {structure['chance_purity']:.3f} by chance)"
        ),
        "digest": embeddings.model_digest,
    }
    return _PAGE.format(
        **{name: html.escape(text) for name, text in texts.items()},
        rows="\n".join(map(_row, structure["groups"])),
        notes="".join(f"<p>{html.escape(note)}</p>" for note in structure["notes"]),
        data=script_json(_data(embeddings, projection, rows, thumbnails)),
        style=STYLE,
        script=SCRIPT,
    )


def _sample(embeddings, rows, thumbnails, seed):
    text = ""
    if len(rows) < len(embeddings):
        text = (
            f"The page shows {len(rows):,} of them, a sample stratified by split and class (seed {seed}); the figures "
            "below and the layout come from all."
        )
    unread = thumbnails.count(None)
    return text + (f" {style.counted(unread, 'image file')} could not be read." if unread else "")


def _row(group):
    cells = (f"{group['n']:,}", *(estimate_text(group[name], undefined="–") for name in ("purity", "silhouette")))
    data = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr><th scope="row">{html.escape(group["name"])}</th>{data}</tr>'


def _data(embeddings, projection, rows, thumbnails):
    points = projection.points
    low, span = points.min(axis=0), np.maximum(np.ptp(points, axis=0), 1e-300)
    unit = (points[rows] - low) / span
    splits = [name for name in ("train", "val", "test", "") if (embeddings.splits == name).any()]
    return {
        "classes": [{"name": name, "colour": style.class_colour(k)} for k, name in enumerate(embeddings.classes)],
        "splits": splits,
        "points": [
            {
                "x": round(float(x), 5),
                "y": round(float(y), 5),
                "c": int(embeddings.y_true[row]),
                "s": splits.index(embeddings.splits[row]),
                "id": str(embeddings.ids[row]),
                "patient": str(embeddings.patients[row]),
                "subtype": str(embeddings.subtypes[row]),
                "jpeg": jpeg,
            }
            for (x, y), row, jpeg in zip(unit, rows, thumbnails, strict=True)
        ],
    }
