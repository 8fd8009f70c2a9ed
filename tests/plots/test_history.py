"""The training history."""

import numpy as np
import pandas as pd
import pytest

from medxray.plots.history import HistoryDisplay
from medxray.plots.run_plots import draw_history


@pytest.fixture
def table():
    stages = ["head"] * 3 + ["block5"] * 4
    return pd.DataFrame(
        {
            "stage": stages,
            "epoch": [1, 2, 3, 1, 2, 3, 4],
            "loss": np.linspace(0.7, 0.2, 7),
            "accuracy": np.linspace(0.6, 0.95, 7),
            "auroc": np.linspace(0.7, 0.99, 7),
            "val_loss": [0.6, 0.1, 0.4, 0.35, 0.3, 0.3, 0.4],
            "val_accuracy": np.linspace(0.6, 0.9, 7),
            "val_auroc": np.linspace(0.7, 0.97, 7),
            "learning_rate": 1e-3,
            "seconds": 5.0,
            "view": "0",
        }
    )


def lines(axes):
    return {line.get_label(): line for line in axes.get_lines() if not line.get_label().startswith("_")}


def test_the_kept_epoch_is_the_first_lowest_validation_loss_of_the_last_stage(table):
    display = HistoryDisplay.from_table(table)
    assert display.best == 4  # 0.1 was lower, but in the head stage
    figure = display.plot()
    assert "kept: epoch 5; validation: loss 0.3000" in figure._suptitle.get_text()
    assert lines(figure.axes[0])["epoch that was kept"].get_xdata()[0] == 5


def test_the_loss_after_calibration_is_drawn_and_keeps_the_epoch(table):
    display = HistoryDisplay.from_table(table.assign(val_calibrated_nll=[0.5, 0.1, 0.2, 0.3, 0.2, 0.15, 0.1]))
    figure = display.plot()
    assert (
        display.best == 6
        and "kept: epoch 7; validation: NLL after calibration 0.1000, AUROC 0.9" in figure._suptitle.get_text()
    )
    figure.draw_without_rendering()
    box = figure._suptitle.get_window_extent()
    assert box.x0 > 0 and box.x1 < figure.bbox.width
    assert lines(figure.axes[0])["NLL after calibration, validation"].get_ydata()[-1] == 0.1


def test_epochs_are_counted_through_and_stages_are_named(table):
    figure = HistoryDisplay.from_table(table).plot()
    drawn = lines(figure.axes[0])["loss, validation"]
    assert drawn.get_xdata().tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert drawn.get_ydata().tolist() == table["val_loss"].tolist()
    assert [text.get_text() for text in figure.axes[0].texts] == ["stage head", "stage block5"]
    boundaries = [line.get_xdata()[0] for line in figure.axes[1].get_lines() if len(set(line.get_xdata())) == 1]
    assert 3.5 in boundaries


def test_all_scores_are_drawn_for_both_sets(table):
    figure = HistoryDisplay.from_table(table).plot()
    expected = {f"{score}, {part}" for score in ("AUROC", "accuracy") for part in ("training", "validation")}
    assert set(lines(figure.axes[1])) == expected


def test_missing_columns_and_empty_cells_are_left_out(table):
    partial = table.drop(columns=["auroc", "val_auroc"]).astype(object)
    partial.loc[2, "val_accuracy"] = ""
    partial.loc[6, "val_loss"] = ""
    display = HistoryDisplay.from_table(partial)
    assert display.best == 4
    drawn = lines(display.plot().axes[1])
    assert set(drawn) == {"accuracy, training", "accuracy, validation"}
    assert np.isnan(drawn["accuracy, validation"].get_ydata()[2])


def test_a_history_without_validation_has_no_kept_epoch(table):
    display = HistoryDisplay.from_table(table[["loss"]])
    assert display.best is None
    assert "kept" not in display.plot()._suptitle.get_text()


def test_the_table_given_is_not_changed(table):
    before = table.astype(str)
    HistoryDisplay.from_table(before).plot()
    assert before["loss"].map(type).eq(str).all()


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_texts_do_not_collide(table, colliding_texts, rows):
    assert colliding_texts(HistoryDisplay.from_table(table.iloc[:rows]).plot()) == []


def test_no_epochs_draw_nothing(table, tmp_path):
    draw_history(table.iloc[:0], tmp_path / "history.png")
    assert not (tmp_path / "history.png").exists()
    assert not list(tmp_path.iterdir())
    draw_history(table, tmp_path / "history.png")
    assert (tmp_path / "history.png").stat().st_size > 10_000
