"""What a row of the table of explanation methods holds."""

from collections.abc import Callable
from dataclasses import dataclass

from medxray.errors import ConfigError
from medxray.system.spelling import did_you_mean

COMPILED, TF_KERAS_VIS = "compiled", "tf-keras-vis"
ENGINES = (COMPILED, TF_KERAS_VIS)


@dataclass(frozen=True)
class MethodOption:
    """An option of a method.

    Attributes:
        name: what users type; an argument of the row's builder.
        default: value where it is not given; its type is that of the option.
        about: what it does, for help and docs.
        low: smallest value of a number, or None.
        high: largest value of a number, or None.
        choices: values of a text; empty where all are allowed.
    """

    name: str
    default: int | float | str
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def value(self, given, method):
        """A value of the option's type from a value or text; raises ConfigError, which names the method."""
        kind = type(self.default)
        try:
            value = kind(given)
        except ValueError as error:
            wanted = f"{self.name} of {method} must be of type {kind.__name__}"
            raise ConfigError(f"{wanted}. Received '{given}'.") from error
        if self.choices and value not in self.choices:
            raise ConfigError(f"{self.name} of {method} must be one of {', '.join(self.choices)}. Received '{given}'.")
        low = self.low is None or value >= self.low
        high = self.high is None or value <= self.high
        if not (low and high):
            bounds = f"{self.low} or more" if self.high is None else f"from {self.low} to {self.high}"
            raise ConfigError(f"{self.name} of {method} must be {bounds}. Received '{given}'.")
        return value


@dataclass(frozen=True)
class Method:
    """One entry of the table.

    Attributes:
        name: what users type after `--method`.
        title: what pictures call it.
        about: what its map shows, in one line.
        source: paper and equations.
        passes: what it costs besides the forward pass that gives the prediction, in words.
        needs_layer: whether its maps belong to a layer of the model.
        build: function (model, layer, **options) -> the function that `methods` describes; layer is None where the
            method needs none.
        reference: builder of the same maps by tf-keras-vis, or None where there is none; what it builds is called
            outside a graph.
        options: MethodOptions.
        exported: whether an exported graph can hold it: nothing is drawn at random, and another order of rounding moves
            its maps by little, as it does not where single pixels are differentiated.
    """

    name: str
    title: str
    about: str
    source: str
    needs_layer: bool
    build: Callable
    passes: str = "none"
    reference: Callable | None = None
    options: tuple[MethodOption, ...] = ()
    exported: bool = False

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
            ConfigError: an unknown option, or a value of another type or out of its range.
        """
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known:
                near = did_you_mean(name, known)
                raise ConfigError(
                    f"{self.name} has these options: {', '.join(known) or 'none'}. Received '{name}'.{near}"
                )
        return {name: option.value(given.get(name, option.default), self.name) for name, option in known.items()}
