"""The configuration of an ensemble. No TensorFlow."""

import dataclasses
import typing
from dataclasses import dataclass

from medxray.errors import ConfigError
from medxray.metrics.threshold_rules import USUAL_RULE, check_rule_applies
from medxray.training.classifier_options import ClassifierOptions
from medxray.training.config import RunConfig
from medxray.training.option_groups import (
    CSV_OPTIONS,
    DataOptions,
    FitOptions,
    ImageOptions,
    ModelOptions,
    PlaceOptions,
)
from medxray.training.options import option, restated

EQUAL, NLL = "equal", "nll"
_OF_MEMBERS = ("data", "task", "label_map", "image_size", "channels", "resize", *CSV_OPTIONS)
OPTIONS = ("weights", "tta", "mc", "threshold_rule", "decide_on", "seed", "deterministic", "strict")
PLACES = ("name", "runs_dir", "overwrite", "export", "saved_models_dir", "cache_dir", "cache_budget")


@dataclass(frozen=True, kw_only=True)
class EnsembleOptions:
    """What is combined, and how."""

    members: tuple = option((), "Directories of the runs that are combined.", hidden=True)
    tta: int | None = option(
        None,
        "Views of each image, the unchanged one and N - 1 seeded ones, whose log-odds are averaged.",
        low=2,
        high=64,
        metavar="N",
    )
    mc: int | None = option(
        None, "Passes with dropout in the heads, whose log-odds are averaged.", low=2, high=1000, metavar="N"
    )
    threshold_rule: str = restated(FitOptions, "threshold_rule", USUAL_RULE)
    decide_on: str = restated(ClassifierOptions, "decide_on", "clean")
    seed: int = restated(FitOptions, "seed", 0, help="Seed of folds, views, dropout and the sample of training images.")
    deterministic: bool = restated(FitOptions, "deterministic", False)


@dataclass(frozen=True, kw_only=True)
class EnsembleConfig(PlaceOptions, EnsembleOptions, ImageOptions, DataOptions, ModelOptions, RunConfig):
    """The configuration of an ensemble; see `medxray ensemble --help`.

    How images are read is said by the members: `resolved()` fills it in.
    """

    TYPE: typing.ClassVar = "ensemble"
    COMMAND: typing.ClassVar = "ensemble"

    weights: str = restated(
        ModelOptions,
        "weights",
        EQUAL,
        help="Weights of the runs: equal, or those of the lowest validation NLL, cross-fitted by patient.",
        choices=(EQUAL, NLL),
    )
    cache_budget: str = restated(PlaceOptions, "cache_budget", RunConfig.CACHE_BUDGET, help="Largest cache of pixels.")
    name: str | None = restated(
        PlaceOptions, "name", None, help="Name of the run. Default: ensemble, numbered when taken."
    )

    def __post_init__(self):
        if isinstance(self.members, list):  # as JSON has it
            object.__setattr__(self, "members", tuple(self.members))
        super().__post_init__()

    @classmethod
    def variants(cls):
        """No choice decides which options there are."""
        return {"": {}}

    @property
    def default_name(self):
        """`ensemble`."""
        return "ensemble"

    def resolved(self):
        """Read the members, check that they go together, and fill in what they say.

        Raises:
            ConfigError: one run without views or passes, or a threshold rule that does not apply.
            RunError: a member is missing, not complete, or no classifier.
            DataError: the members have other classes, inputs or splits.
        """
        from medxray.ensemble.members import read_members  # loads pandas, which help does not wait for

        self.check_texts()
        members = read_members(self.members)
        first = members[0]
        if len(members) == 1:
            self._check_single(first)
        check_rule_applies(self.threshold_rule, first.classes)
        taken = {name: first.record["config"].get(name) for name in _OF_MEMBERS}
        return dataclasses.replace(self, members=tuple(str(member.directory.path) for member in members), **taken)

    def _check_single(self, member):
        if self.tta is None and self.mc is None:
            raise ConfigError(
                f"An ensemble needs two or more different runs, or --tta or --mc. Received: {member.directory.path}."
            )
        if self.weights == NLL:
            raise ConfigError("--weights nll is for two or more runs. Received one: leave it out.")

    def to_dict(self):
        """The fields as a dict that JSON can hold."""
        return {**super().to_dict(), "members": list(self.members)}

    def _paths(self):
        return [name for name in super()._paths() if name != "weights"]
