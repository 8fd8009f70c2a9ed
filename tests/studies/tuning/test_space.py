"""What a search tries."""

import dataclasses
import json

import pytest

from medxray.errors import ConfigError
from medxray.studies.tuning.space import Dimension, search_space
from medxray.training.config import TrainConfig


def names(texts=(), **options):
    return [dimension.option for dimension in search_space(texts, TrainConfig(**options))]


def test_without_names_everything_is_searched_that_the_mode_has_and_that_is_not_given():
    usual = ["learning-rate", "dropout", "l2", "label-smoothing", "head-units", "head-norm", "augment"]
    assert names(mode="extract") == usual
    assert names(mode="finetune") == [*usual, "unfreeze-to"]
    assert names(mode="extract", optimizer="adamw") == [usual[0], "weight-decay", *usual[1:]]
    assert names(mode="extract", dropout=0.2, augment="light") == [
        name for name in usual if name not in ("dropout", "augment")
    ]


def test_the_learning_rate_is_searched_around_its_default_and_blocks_from_the_last():
    rate, block = search_space(["unfreeze-to,learning-rate"], TrainConfig(mode="finetune"))
    assert (rate.low, rate.high, rate.log) == (pytest.approx(1e-5), pytest.approx(1e-3), True)
    assert block.choices == ("block5_pool", "block4_pool", "block3_pool")


def test_values_are_given_as_a_range_or_as_choices():
    found = search_space(
        ["learning-rate=1e-5:1e-2,dropout=0.1/0.4", "head-norm=yes/no", "head-units=0/8"], TrainConfig(mode="extract")
    )
    assert found == (
        Dimension("learning_rate", 1e-5, 1e-2, True),
        Dimension("dropout", choices=(0.1, 0.4)),
        Dimension("head_units", choices=(0, 8)),
        Dimension("head_norm", choices=(True, False)),
    )
    assert [str(one) for one in found[:2]] == ["learning-rate=1e-05:0.01", "dropout=0.1/0.4"]
    assert tuple(Dimension.from_dict(json.loads(json.dumps(dataclasses.asdict(one)))) for one in found) == found


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("depth", {}, "--search takes the names learning-rate, weight-decay, .* Received 'depth'"),
        ("dropout", {"dropout": 0.1}, "--dropout is given, so it cannot be searched"),
        ("dropout,dropout", {}, "--search names dropout twice"),
        ("dropout=0.5:0.1", {}, "the lowest value must be below the highest"),
        ("dropout=0:2", {}, "--dropout must lie between 0 and 0.95. Received 2.0"),
        ("l2=0:1e-3", {}, "must be above 0, since the logarithm is searched"),
        ("dropout=a:b", {}, "the values must be numbers, written as LOW:HIGH or A/B/C. Received 'a'"),
        ("head-units=1:9", {}, "the values must be whole numbers, written as A/B/C. Received '1:9'"),
        ("head-norm=on/off", {}, "the values must be yes or no"),
        ("augment=light", {}, "two or more different values are needed"),
        ("augment=none/light/standard/strong", {}, "at most 3 policies, .* Received 4"),
        ("augment=light/weird", {}, "--augment must be one of .* Received 'weird'"),
        ("unfreeze-to", {}, "--unfreeze-to is no option of --mode extract"),
        ("weight-decay", {}, "--weight-decay is for --optimizer adamw or sgd. Received adam"),
        ("learning-rate", {"mode": "progressive", "stage_learning_rates": "1e-3"}, "has no effect with --stage-learn"),
    ],
)
def test_what_cannot_be_searched_is_said_in_one_line(text, options, message):
    with pytest.raises(ConfigError, match=message) as raised:
        search_space([text], TrainConfig(**{"mode": "extract"} | options))
    assert "\n" not in str(raised.value)
