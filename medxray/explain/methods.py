"""The table of explanation methods: one row each. Importing it costs nothing; TensorFlow starts when a row builds.

What a row builds is a function that is made of TensorFlow operations and is called with images, float32 (N,H,W,C),
0-255, and `targets_of`, a function from logits (N,K) to the class to explain in each image, int32 (N,). It returns
`maps.Explained`: maps float32 (N,h,w), 0-1, at the resolution of the layer or, without one, of the method; the logits;
and the pooled features, from which the gate judges the images.
"""

from collections.abc import Callable
from dataclasses import dataclass

from medxray.errors import ConfigError

COMPILED, TF_KERAS_VIS = "compiled", "tf-keras-vis"
ENGINES = (COMPILED, TF_KERAS_VIS)
GRADCAM = "gradcam"


@dataclass(frozen=True)
class MethodOption:
    """An option of a method.

    Attributes:
        name: what users type; an argument of the row's builder.
        default: value where it is not given; its type is that of the option.
        about: what it does, for help and docs.
    """

    name: str
    default: int | float | str
    about: str


@dataclass(frozen=True)
class Method:
    """One entry of the table.

    Attributes:
        name: what users type after `--method`.
        title: what pictures call it.
        about: what its map shows, in one line.
        source: paper and equations.
        needs_layer: whether its maps belong to a layer of the model.
        build: function (model, layer, **options) -> the function that the module describes; layer is None where the
            method needs none.
        reference: builder of the same maps by tf-keras-vis, or None where there is none; what it builds is called
            outside a graph.
        options: MethodOptions.
    """

    name: str
    title: str
    about: str
    source: str
    needs_layer: bool
    build: Callable
    reference: Callable | None = None
    options: tuple[MethodOption, ...] = ()

    def builder(self, engine):
        """The builder for an engine of `ENGINES`; raises ConfigError where there is none."""
        if engine == COMPILED:
            return self.build
        if engine == TF_KERAS_VIS and self.reference is not None:
            return self.reference
        known = ENGINES if self.reference is not None else (COMPILED,)
        raise ConfigError(f"--engine of {self.name} must be one of {', '.join(known)}. Received '{engine}'.")

    def chosen_options(self, given):
        """All options with their values, dict, from a dict of some of them; values may be texts.

        Raises:
            ConfigError: an unknown option, or a value of another type.
        """
        known = {option.name: option.default for option in self.options}
        for name, value in given.items():
            if name not in known:
                raise ConfigError(f"{self.name} has these options: {', '.join(known) or 'none'}. Received '{name}'.")
            kind = type(known[name])
            try:
                known[name] = kind(value)
            except ValueError as error:
                wanted = f"{name} of {self.name} must be of type {kind.__name__}"
                raise ConfigError(f"{wanted}. Received '{value}'.") from error
        return known


def _gradcam(model, layer):
    from medxray.explain.gradcam import gradcam_graph

    return gradcam_graph(model, layer)


def _gradcam_by_tf_keras_vis(model, layer):
    from medxray.explain.keras_vis import gradcam_function

    return gradcam_function(model, layer)


METHODS = {
    row.name: row
    for row in (
        Method(
            name=GRADCAM,
            title="Grad-CAM",
            about="where a layer's activations, weighted by the gradient of the class, speak for it",
            source="Selvaraju et al. (2017), Grad-CAM, eq. 1 and 2",
            needs_layer=True,
            build=_gradcam,
            reference=_gradcam_by_tf_keras_vis,
        ),
    )
}


def method_named(name):
    """Look a method up.

    Raises:
        ConfigError: the name is not in the table.
    """
    if name not in METHODS:
        raise ConfigError(f"--method must be one of {', '.join(METHODS)}. Received '{name}'.")
    return METHODS[name]
