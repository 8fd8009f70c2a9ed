"""Class weights, learning rates, stage plans, batches, checkpoints."""

import dataclasses

import numpy as np
import pytest

from medxray.errors import ConfigError, RunError
from medxray.models.registry import ARCHITECTURES
from medxray.training.batches import cached_batches, epoch_order
from medxray.training.checkpoint import Position, load_state, save_state
from medxray.training.config import TrainConfig
from medxray.training.losses import balanced_class_weights
from medxray.training.modes import plan_stages
from medxray.training.schedules import learning_rate, plateau_factor


def test_balanced_weights_give_each_class_the_same_share():
    labels = np.array([0] * 2 + [1] * 6)
    weights = balanced_class_weights(labels, 2)
    np.testing.assert_allclose(weights, [2.0, 8 / 12])
    assert weights[labels].sum() == pytest.approx(len(labels))
    np.testing.assert_allclose(balanced_class_weights(labels, 3), [8 / 6, 8 / 18, 0])


def test_cosine_warms_up_to_the_peak_and_ends_at_a_hundredth():
    rate = learning_rate("cosine", 1e-3, steps=1000)
    values = [float(rate(step)) for step in range(1001)]
    assert np.argmax(values) == 50 and max(values) == pytest.approx(1e-3)
    assert values[0] == pytest.approx(1e-5) and values[-1] == pytest.approx(1e-5)
    assert np.all(np.diff(values[50:]) <= 0)
    assert learning_rate("plateau", 1e-3, steps=1000) == 1e-3


def test_plateau_lowers_the_rate_after_each_two_epochs_without_progress():
    factors, factor = [], 1.0
    for waited in (0, 1, 2, 3, 4):
        factor = plateau_factor(factor, epochs_since_best=waited)
        factors.append(factor)
    np.testing.assert_allclose(factors, [1, 1, 0.3, 0.3, 0.09])


@pytest.mark.parametrize(
    ("options", "cuts"),
    [
        ({"mode": "extract"}, ["pooled"]),
        ({"mode": "finetune"}, ["pooled", "block4_pool"]),
        ({"mode": "finetune", "head_epochs": 0}, ["block4_pool"]),
        ({"mode": "finetune", "arch": "resnet50"}, ["pooled", "conv4_block6_out"]),
        ({"mode": "finetune", "arch": "densenet121"}, ["pooled", "pool4_pool"]),
        ({"mode": "scratch", "arch": "deep-cnn"}, [None]),
        ({"mode": "full"}, [None]),
        ({"mode": "finetune", "unfreeze_to": "block4_pool"}, ["pooled", "block3_pool"]),
        ({"mode": "progressive"}, ["pooled", "block4_pool"]),
        (
            {"mode": "progressive", "unfreeze_to": "block3_pool", "head_epochs": 0},
            ["block4_pool", "block3_pool", "block2_pool"],
        ),
        (
            {"mode": "progressive", "unfreeze_to": "block1_pool"},
            ["pooled", *(f"block{n}_pool" for n in (4, 3, 2, 1)), None],
        ),
    ],
)
def test_modes_cut_where_they_say(options, cuts):
    plan = plan_stages(TrainConfig(epochs=7, **options).resolved())
    assert [stage.cut for stage in plan] == cuts and plan[-1].epochs == 7


def test_blocks_have_epochs_and_rates_of_their_own():
    options = {"unfreeze_to": "block4_pool", "stage_epochs": "3,2", "stage_learning_rates": "1e-4, 5e-5"}
    plan = plan_stages(TrainConfig(mode="progressive", **options).resolved())
    assert [(stage.name, stage.epochs, stage.learning_rate) for stage in plan] == [
        ("head", 10, 1e-3), ("block5_pool", 3, 1e-4), ("block4_pool", 2, 5e-5)
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["3", "3,2,1", "3,x", "3,0", "3,-1", "", "3,inf"])
def test_numbers_of_stages_that_do_not_fit_are_refused(text):
    with pytest.raises(ConfigError, match="--stage-(epochs|learning-rates) must"):
        TrainConfig(mode="progressive", unfreeze_to="block4_pool", stage_epochs=text).resolved()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"mode": "finetune", "unfreeze_to": "block9"},
            "--unfreeze-to for vgg16 must be one of block1_pool, .*'block9'",
        ),
        ({"mode": "extract", "unfreeze_to": "block4_pool"}, "--unfreeze-to is no option of --mode extract"),
        ({"mode": "full", "head_epochs": 1}, "--head-epochs is no option of --mode full"),
        ({"mode": "finetune", "stage_epochs": "1"}, "--stage-epochs is no option of --mode finetune"),
        ({"mode": "scratch", "arch": "deep-cnn", "train_bn": True}, "--train-bn is no option of --mode scratch"),
        ({"mode": "full", "views": 2}, "--mode full has no frozen layers to cache"),
    ],
)
def test_options_of_other_modes_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        TrainConfig(**options).resolved()


def test_the_defaults_of_all_layers_are_those_of_the_robust_recipe():
    config = TrainConfig(mode="full").resolved()
    assert (config.augment, config.optimizer, config.weight_decay, config.head_units) == ("robust", "adamw", 1e-4, 0)
    assert TrainConfig(mode="full", augment="light", head_units=8).resolved().head_units == 8


def test_an_architecture_has_defaults_of_its_own(monkeypatch):
    row = dataclasses.replace(ARCHITECTURES["vgg16"], defaults={"full": {"learning_rate": 7e-5}})
    monkeypatch.setitem(ARCHITECTURES, "vgg16", row)
    assert TrainConfig(mode="full").resolved().learning_rate == 7e-5
    assert TrainConfig(mode="full", learning_rate=1e-3).resolved().learning_rate == 1e-3
    assert TrainConfig(mode="extract").resolved().learning_rate == 1e-3


def test_a_learning_rate_may_be_a_number_or_auto():
    assert TrainConfig(learning_rate="auto").resolved().learning_rate == "auto"
    with pytest.raises(ConfigError, match="--learning-rate must be float. Received 'fast'"):
        TrainConfig(learning_rate="fast")


def test_batches_follow_the_order_and_carry_labels_and_weights():
    activations = np.arange(20, dtype=np.float16).reshape(10, 2)
    labels, weights = np.arange(10), np.linspace(0, 1, 10)
    order = epoch_order(10, seed=1, epoch=2)
    dataset = cached_batches(activations, labels, order=order, batch_size=4, weights=weights)
    parts = list(dataset.as_numpy_iterator())
    assert int(dataset.cardinality()) == 3 and [len(part[1]) for part in parts] == [4, 4, 2]
    assert np.array_equal(np.concatenate([part[1] for part in parts]), order)
    np.testing.assert_allclose(np.concatenate([part[0] for part in parts])[:, 0], order * 2)
    np.testing.assert_allclose(np.concatenate([part[2] for part in parts]), weights[order], rtol=1e-6)


def test_order_depends_on_seed_and_epoch_only():
    assert np.array_equal(epoch_order(50, seed=0, epoch=1), epoch_order(50, seed=0, epoch=1))
    assert not np.array_equal(epoch_order(50, seed=0, epoch=1), epoch_order(50, seed=0, epoch=2))
    assert not np.array_equal(epoch_order(50, seed=0, epoch=1), epoch_order(50, seed=1, epoch=1))
    assert sorted(epoch_order(50, seed=0, epoch=1)) == list(range(50))


def test_state_comes_back_exactly(tmp_path):
    position = Position("main", 3, 0.25, 2, 0.3, ({"epoch": 1, "loss": 0.1 + 0.2},))
    groups = [[np.float32([1 / 3]), np.uint32([1, 2])], [np.int64(7)], [np.zeros((2, 2)), np.ones(3)]]
    save_state(tmp_path / "state.npz", position, variables=groups[0], optimizer=groups[1], best=groups[2])
    found, *read = load_state(tmp_path / "state.npz")
    assert found == position
    for mine, theirs in zip(groups, read, strict=True):
        assert [value.dtype for value in theirs] == [np.asarray(value).dtype for value in mine]
        assert all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True))


def test_fresh_position_survives_json_and_a_damaged_state_is_named(tmp_path):
    file = tmp_path / "state.npz"
    assert load_state(file) is None
    save_state(file, Position("head"), variables=[], optimizer=[], best=[])
    assert dataclasses.asdict(load_state(file)[0])["best_loss"] == float("inf")
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(RunError, match="state.npz is damaged"):
        load_state(file)
