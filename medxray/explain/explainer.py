"""A method of the table on the model of a run: what is asked for, and the function that answers it."""

from dataclasses import dataclass

import tensorflow as tf

from medxray.errors import ConfigError
from medxray.explain.layers import require_heat_layer
from medxray.explain.maps import default_targets, fixed_target
from medxray.explain.methods import COMPILED, GRADCAM, method_named
from medxray.system.spelling import did_you_mean


@dataclass(frozen=True)
class ExplainRequest:
    """Which explanation of images is wanted.

    Attributes:
        method: name of a row of `methods.METHODS`.
        layer: layer to take the maps from; None: the heat layer of the architecture.
        target: name of the class to explain; None: the positive class, or with three or more classes the predicted.
        engine: "compiled", or "tf-keras-vis" where the method has a reference.
        options: pairs (name, value) of options of the method; the others have their defaults.
    """

    method: str = GRADCAM
    layer: str | None = None
    target: str | None = None
    engine: str = COMPILED
    options: tuple = ()

    def check(self, run):
        """Raise ConfigError unless a run can answer this, before any image is read."""
        run.check_gradcam()
        method = method_named(self.method)
        method.builder(self.engine)
        method.chosen_options(dict(self.options))
        if self.target is not None:
            self.target_in(run.classes)
        if self.layer is not None:
            if not method.needs_layer:
                raise ConfigError(f"--layer is for methods that look at a layer; {self.method} does not.")
            require_heat_layer(run.model, self.layer)

    def target_in(self, classes):
        """Position of the class to explain among the classes of a run; its case makes no difference."""
        names = [name.casefold() for name in classes]
        if self.target in classes:
            return classes.index(self.target)
        if names.count(self.target.casefold()) != 1:
            near = did_you_mean(self.target, classes)
            raise ConfigError(f"--class must be one of {', '.join(classes)}. Received '{self.target}'.{near}")
        return names.index(self.target.casefold())

    def layer_of(self, run):
        """Name of the layer that the maps belong to, or None where the method needs none."""
        return (self.layer or run.architecture.heat_layer) if method_named(self.method).needs_layer else None


def explain_function(run, request):
    """Build what answers a request.

    Args:
        run: a run as `medxray.load_run` returns it.
        request: ExplainRequest.

    Returns:
        function, float32 images (N,H,W,C), 0-255 -> (maps, logits, pooled, targets): the fields of `maps.Explained`
        and int32 (N,), the class that is explained in each image. One graph serves batches of any size.

    Raises:
        ConfigError: the run cannot answer it.
    """
    request.check(run)
    method = method_named(request.method)
    options = method.chosen_options(dict(request.options))
    explain = run.map_function(method, layer=request.layer, engine=request.engine, options=options)
    if request.target is None:
        targets_of = default_targets(len(run.classes), run.decision.calibration)
    else:
        targets_of = fixed_target(request.target_in(run.classes))

    def answer(images):
        explained = explain(images, targets_of)
        return *explained, targets_of(explained.logits)

    if request.engine != COMPILED:
        return answer
    images = tf.TensorSpec((None, *run.input_size, run.channels), tf.float32, "images")
    return tf.function(answer, input_signature=[images])
