"""The table of architectures with what each costs, as `medxray models` shows it."""

from medxray.models.classifier import build_classifier, embedder
from medxray.models.cost import images_per_second, macs
from medxray.models.registry import architecture
from medxray.system import progress


def overview(names, *, measure=False):
    """Build the backbone of each architecture for grey images of its default size, with random weights, and count.

    Args:
        names: names of architectures.
        measure: also time inference on this machine.

    Returns:
        list of dict, one for each name: name, parameters (of the backbone, moving statistics included, without a head),
        macs (multiply-accumulates of one image through it, see `cost.macs`), image_size (pixels), weights (names of the
        pretrained weights that can be had), mode (the default one), paper, stages, heat_layer, defaults
        (options by mode); with `measure` images_per_second, see `cost.images_per_second`.

    Raises:
        ConfigError: a name is not in the table.
    """
    rows = [architecture(name) for name in names]
    described = []
    with progress.track(len(rows), "Architectures") as bar:
        for row in rows:
            described.append(_described(row, measure))
            bar.advance(1, row.name)
    return described


def _described(row, measure):
    model = embedder(build_classifier(row.name, image_size=row.default_size, channels=1, classes=2))
    facts = {
        "name": row.name,
        "parameters": model.count_params(),
        "macs": macs(model),
        "image_size": row.default_size,
        "weights": [source.name for source in row.pretrained],
        "mode": row.default_mode,
        "paper": row.paper,
        "stages": list(row.stages),
        "heat_layer": row.heat_layer,
        "defaults": {mode: dict(values) for mode, values in row.defaults.items()},
    }
    return facts | ({"images_per_second": images_per_second(model)} if measure else {})
