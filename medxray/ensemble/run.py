"""A trained ensemble: what it can be asked for as any other run, with maps of its members and uncertainty of passes."""

from functools import cached_property
from itertools import zip_longest

import keras
import numpy as np

from medxray.ensemble.graph import PASSES
from medxray.ensemble.structure import MemberGraph, Structure, member_maps
from medxray.errors import ConfigError, RunError
from medxray.explain.method import COMPILED
from medxray.metrics.uncertainty import predictive_uncertainty
from medxray.models.names import LOGITS, POOLED
from medxray.trained_run import Run

UNCERTAINTY = ("entropy", "mutual_information")  # columns of the table of predictions with dropout passes


class Ensemble(Run):
    """A trained ensemble.

    Args:
        directory: runs.directory.RunDir.
        kind: its run_kinds.RunKind.
    """

    def _read_architecture(self, config):
        return Structure.from_record(self.record["ensemble"])

    @cached_property
    def batch(self):
        """Images that the model takes at a time; few where it looks at many views of each."""
        return images_at_once(self.architecture.views)

    def _check_model(self, model):
        names, expected = {layer.name for layer in model.layers}, (None, *self.input_size, self.channels)
        needed = {LOGITS, POOLED, *(part.heat_layer for part in self.architecture.parts)}
        needed |= {PASSES} if self.architecture.passes else set()
        if model.input_shape != expected or not needed <= names:
            raise RunError(
                f"{self.directory.model_file} is not the ensemble that run.json describes. The files do not belong "
                "together: combine the runs again."
            )

    def _network(self):
        return network_with_passes(self.model)

    def _table(self, files, logits, *further, errors):
        frame = super()._table(files, logits, errors=errors)
        if not further:
            return frame
        (passes,) = further
        calibrated = self.decision.calibration.log_probabilities(passes.reshape(-1, passes.shape[-1]))
        found = predictive_uncertainty(calibrated.reshape(passes.shape), self.architecture.pass_weights)
        good = (frame["error"] == "").to_numpy()
        columns = zip(UNCERTAINTY, found, strict=True)
        return frame.assign(**{name: np.where(good, values, np.nan) for name, values in columns})

    @property
    def heat_layers(self):
        """Names of the heat layers of the members in the graph, tuple."""
        return tuple(part.heat_layer for part in self.architecture.parts)

    def map_function(self, method, *, layer, engine, options):
        """The weighted mean of the maps of the members; with a layer the map of its member alone. See `Run`."""
        parts = self.architecture.parts
        if engine != COMPILED and self.architecture.views:
            raise ConfigError(f"--engine {engine} is for models without views. {self.name} has --tta: leave it out.")
        if layer is not None:
            parts = [part for part in parts if layer.startswith(part.prefix)]
            if not parts:
                raise ConfigError(f"--layer of an ensemble is a layer of a member, as {self.heat_layers[0]}.")
        build = method.builder(engine)
        made = lambda graph, name: build(graph, name if method.needs_layer else None, **options)  # noqa: E731
        return member_maps(self.model, parts, made, layer=layer)

    def layers_by_depth(self):
        """Groups of layers with weights, from the logits down, those of all members together. See `Run`."""
        from medxray.explain.checks.randomisation import depths

        found = []
        for part in self.architecture.parts:
            graph, stages = MemberGraph(self.model, part.prefix), part.architecture.stages
            found.append(depths(graph, [part.prefix + stage for stage in stages]))
        together = [[group for group in groups if group] for groups in zip_longest(*found)]
        return [
            (" + ".join(dict.fromkeys(name for name, _ in groups)), [layer for _, layers in groups for layer in layers])
            for groups in together
        ]


def images_at_once(views):
    """Images that an ensemble with so many views of each (None: one) takes at a time."""
    return max(1, Run.batch // (views or 1))


def network_with_passes(model):
    """An ensemble cut for predictions.

    Args:
        model: keras.Model of the ensemble.

    Returns:
        keras.Model: images (N,H,W,C), 0-255 -> logits (N,K), pooled features (N,c) and, where there are dropout passes,
        their scores (N,S,K).
    """
    known = {layer.name for layer in model.layers}
    names = [LOGITS, POOLED, *({PASSES} & known)]
    return keras.Model(model.input, [model.get_layer(name).output for name in names])
