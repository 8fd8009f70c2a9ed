"""Facts of a training history."""

import pandas as pd

from medxray.metrics.history import epochs_trained, kept_row, measured_table, stage_spans

TABLE = pd.DataFrame(
    {
        "stage": ["head", "head", "main", "main", "main"],
        "epoch": [1, 2, 0, 1, 2],
        "val_loss": ["0.1", "", "0.5", "0.3", "0.3"],
    }
)


def test_epochs_are_counted_through_and_the_starting_weights_of_a_stage_are_none():
    assert epochs_trained(TABLE).tolist() == [1, 2, 2, 3, 4]
    assert epochs_trained(TABLE.drop(columns="epoch")).tolist() == [1, 2, 3, 4, 5]
    assert stage_spans(TABLE) == [("head", 0, 2), ("main", 2, 4)]
    assert stage_spans(TABLE.drop(columns="stage")) == []


def test_the_kept_epoch_is_the_first_lowest_validation_loss_of_the_last_stage():
    assert kept_row(measured_table(TABLE)) == 3
    assert kept_row(measured_table(TABLE.drop(columns="val_loss"))) is None


def test_what_the_calibration_takes_away_does_not_keep_an_epoch():
    table = TABLE.assign(val_calibrated_nll=["", "", "0.5", "0.3", "0.2"])
    assert kept_row(measured_table(table)) == 4
    begun_before = TABLE.assign(val_calibrated_nll=["", "", "", "0.3", "0.2"])
    assert kept_row(measured_table(begun_before)) == 3, "an earlier version began the stage by the loss"
