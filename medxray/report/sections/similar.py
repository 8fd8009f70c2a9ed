"""Training images that are most similar to confident errors."""

from medxray.data.images.access import path_text
from medxray.report.elements import element, joined
from medxray.report.pictures import picture
from medxray.report.section import Missing, Section
from medxray.report.similar_cases import answer_words, similar_cases

_WHAT = "Similar training cases"


def similar(contents):
    """Errors of each kind in turn, each with its nearest training images by cosine distance."""
    if contents.embeddings is None:
        return Missing(_WHAT, "makes what they are found by", f"medxray embed extract {contents.path}")
    found = similar_cases(contents)
    if not found:
        return Missing(_WHAT, "There are no errors, or embeddings.npz lacks their images or the training images.")
    items = [_item(contents, *one) for one in found.items()]
    text = (
        "Confident errors, each beside the training images with the nearest features (cosine distance, 0 is the same "
        "direction). Likeness in features explains no label."
    )
    return Section("similar", _WHAT, joined(element("p", text), element("ol", *items, class_="similar")))


def _item(contents, row, neighbors):
    name = contents.predictions.paths[row]
    (file,) = contents.files_of([name])
    this = _figure(contents, file, ", ".join(answer_words(contents, row)), path_text(name))
    others = [
        _figure(contents, one.file, f"{one.label}, distance {one.distance:.4f}", path_text(one.name))
        for one in neighbors
    ]
    return element("li", this, *others)


def _figure(contents, file, words, name):
    shown = picture(contents, file, alt=f"Image: {words}")
    caption = element("figcaption", element("span", words), element("span", name, class_="file"))
    return element("figure", shown, caption)
