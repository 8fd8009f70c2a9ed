"""What an ensemble is made of, the part of its graph that is one member, and the mean of the members' heatmaps."""

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from medxray.ensemble.graph import prefix_of
from medxray.ensemble.views import VIEWS
from medxray.explain.maps import Explained, upsample
from medxray.explain.passes import whole_network
from medxray.models.architectures.row import Architecture
from medxray.models.inference import trunk
from medxray.models.registry import architecture


class Part(NamedTuple):
    """A member in the graph.

    Attributes:
        prefix: what the names of its layers begin with.
        weight: its weight.
        architecture: row of models.registry.
    """

    prefix: str
    weight: float
    architecture: Architecture

    @property
    def heat_layer(self):
        """Name of its default heat layer in the graph of the ensemble."""
        return self.prefix + self.architecture.heat_layer


@dataclass(frozen=True)
class Structure:
    """What an ensemble is made of; it stands where a classifier has its architecture.

    Attributes:
        parts: Part of each member.
        views: number of views of each image, or None.
        passes: number of dropout passes of each member, or None.
        name: "ensemble".
        heat_layer: None: each member has its own.
    """

    parts: tuple[Part, ...]
    views: int | None = None
    passes: int | None = None
    name: str = "ensemble"
    heat_layer: None = None

    @classmethod
    def from_record(cls, facts):
        """Read the entry `ensemble` of run.json.

        Raises:
            KeyError, TypeError, ValueError: it is damaged.
        """
        parts = tuple(
            Part(prefix_of(number), float(member["weight"]), architecture(member["arch"]))
            for number, member in enumerate(facts["members"], 1)
        )
        if not parts:
            raise ValueError("members")
        return cls(parts, facts["views"], facts["passes"])

    @property
    def pass_weights(self):
        """Weight of each dropout pass, list of M * T numbers that sum to 1, in the order of the graph."""
        return [part.weight / self.passes for part in self.parts for _ in range(self.passes)]


class MemberGraph:
    """One member in the graph of an ensemble, for methods that explain a classifier.

    Like a classifier it has `input`, `layers`, `name`, and layers called `pooled` and `logits`; its own layers are
    known by their names there and by those in the graph. With views, its input is that of one view.

    Args:
        model: keras.Model of the ensemble.
        prefix: of the member.
    """

    def __init__(self, model, prefix):
        self._model, self._prefix = model, prefix
        self.name = f"{model.name}, member {prefix.strip('m_')}"
        names = {layer.name for layer in model.layers}
        self.input = model.get_layer(VIEWS).output if VIEWS in names else model.input
        self.layers = [layer for layer in model.layers if layer.name.startswith(prefix)]
        self._names = {layer.name for layer in self.layers}

    def get_layer(self, name):
        """A layer by its name in the member, or in the ensemble."""
        return self._model.get_layer(name if name in self._names else self._prefix + name)


def member_maps(model, parts, build, *, layer=None, fold=True):
    """A method on an ensemble: the weighted mean of the maps of its members, each scaled to 0-1 before.

    The class that is explained is that of the ensemble. Maps of one resolution are averaged as they are, others at
    that of the input; so the enlarged mean is the mean of the enlarged maps in either case. The mean is not scaled
    again: it reaches 1 only where all members agree.

    Args:
        model: keras.Model of the ensemble.
        parts: Parts that take part; their weights count relative to each other.
        build: function (MemberGraph, layer or None) -> function as `explain.methods` describes it.
        layer: name of a layer of the single Part that is explained; None: the heat layer of each.
        fold: as for `explain.passes.gradient_pass`.

    Returns:
        function as `explain.methods` describes it.

    Raises:
        ConfigError: a member cannot be explained so.
    """
    network = whole_network(model) if fold else _unfolded(model)
    explained = [build(MemberGraph(model, part.prefix), layer or part.heat_layer) for part in parts]
    total = sum(part.weight for part in parts)
    shares = [part.weight / total if total else 1 / len(parts) for part in parts]

    def explain(images, targets_of):
        logits, pooled = network(images)
        targets = targets_of(logits)
        maps = [one(images, lambda _: targets).maps for one in explained]
        if len({tuple(map_.shape[1:]) for map_ in maps}) > 1:
            maps = [upsample(map_, images.shape[1:3]) for map_ in maps]
        mean = tf.add_n([share * map_ for share, map_ in zip(shares, maps, strict=True)])
        return Explained(mean, logits, pooled)

    return explain


def _unfolded(model):
    network = trunk(model)
    return lambda images: network(images, training=False)
