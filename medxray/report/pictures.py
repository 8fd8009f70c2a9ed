"""Pictures of the report: an image, its heat above it, and what was predicted."""

from medxray.data.images.access import path_text
from medxray.data.images.thumbnails import jpeg_data
from medxray.metrics.intervals import equals_probability
from medxray.report.elements import element, joined
from medxray.report.heat import heat_picture, strongest_place


def picture(contents, file, *, alt, heat=None):
    """An image as it is shown, with its heat where there is any.

    Args:
        contents: Contents.
        file: path of the image.
        alt: what it is, in words.
        heat: (uint8 (h,w), name of the explained class) or None.
    """
    pixels = contents.thumbnail(file)
    if pixels is None:
        return element("div", "The image file cannot be read.", class_="picture gone")
    height, width = pixels.shape[:2]
    data = f"data:image/jpeg;base64,{jpeg_data(pixels)}"
    shown = element("img", src=data, alt=alt, width=str(width), height=str(height))
    return element("div", shown, heat and _heat(*heat), class_="picture")


def _heat(heat, target):
    place = strongest_place(heat)
    alt = f"Heatmap for {target}: " + (f"strongest {place}" if place else "no part stands out")
    return element("img", src=f"data:image/png;base64,{heat_picture(heat)}", alt=alt, class_="heat")


def predicted_pictures(contents, rows):
    """A list of pictures of some rows of the predictions, each with its true and predicted class."""
    files, labels = contents.files(), contents.decision.labels(contents.predictions.logits)
    probabilities = contents.predictions.probabilities(contents.decision.calibration)
    return element(
        "ul",
        *(_item(contents, int(row), files[row], int(labels[row]), probabilities[row]) for row in rows),
        class_="gallery",
    )


def _item(contents, row, file, label, probabilities):
    predictions = contents.predictions
    true, predicted = predictions.classes[predictions.y_true[row]], predictions.classes[label]
    of = len(predictions.classes) - 1 if predictions.is_binary else label
    heat = None if contents.heats is None else contents.heats.of(predictions.paths[row])
    right = true == predicted
    caption = joined(
        element("strong", "✓ correct" if right else "✗ wrong"),
        element("span", f"true: {true}"),
        element("span", f"predicted: {predicted}"),
        element("span", f"P({predictions.classes[of]}) {equals_probability(probabilities[of])}"),
        element("span", path_text(predictions.paths[row]), class_="file"),
    )
    alt = f"Image with true class {true}, predicted {predicted}"
    figure = element("figure", picture(contents, file, alt=alt, heat=heat), element("figcaption", caption))
    return element("li", figure, class_="right" if right else "wrong")
