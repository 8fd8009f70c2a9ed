"""Facts of a training history: its epochs counted through, and the one that was kept. No TensorFlow."""

import numpy as np
import pandas as pd

LOSS = "val_loss"
CALIBRATED = "val_calibrated_nll"
MEASURED = ("loss", "accuracy", "auroc", LOSS, CALIBRATED, "val_accuracy", "val_auroc")


def measured_table(table):
    """A history with numbers in its measured columns, nan where there are none.

    Args:
        table: DataFrame of history.csv, one row per epoch: stage, epoch, loss, accuracy, val_loss, val_accuracy,
            val_auroc; columns may be missing and values may be empty.

    Returns:
        DataFrame with index 0..n-1.
    """
    table = table.reset_index(drop=True)
    measured = [name for name in table.columns if name in MEASURED]
    table[measured] = table[measured].apply(pd.to_numeric, errors="coerce")
    return table


def epochs_trained(table):
    """Epochs trained so far at each row, all stages counted through, int array (n,).

    Epoch 0 of a stage, where its starting weights are validated, counts as none.
    """
    if "epoch" not in table:
        return np.arange(1, len(table) + 1)
    return np.cumsum(pd.to_numeric(table["epoch"], errors="coerce").to_numpy() != 0)


def kept_row(table):
    """Row (from 0) of the epoch whose weights were kept: the first lowest value of what the last stage watched.

    A classifier watches the cross-entropy of validation images after calibration. Other models, and stages that an
    earlier version began, watch the validation loss.

    Args:
        table: DataFrame of `measured_table`.

    Returns:
        int, or None where no validation loss is known.
    """
    if LOSS not in table or not len(table):
        return None
    last = table[table["stage"] == table["stage"].iloc[-1]] if "stage" in table else table
    watched = CALIBRATED if CALIBRATED in last and last[CALIBRATED].notna().all() else LOSS
    losses = last[watched].dropna()
    return int(losses.idxmin()) if len(losses) else None


def stage_spans(table):
    """Where stages begin and end, list of (name, first epoch less one, last epoch), as `epochs_trained` counts."""
    if "stage" not in table or not len(table):
        return []
    names, epochs = table["stage"].astype(str).to_numpy(), epochs_trained(table)
    begins = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
    ends = [int(epochs[row - 1]) for row in np.append(begins[1:], len(names))]
    return list(zip(names[begins].tolist(), [0, *ends[:-1]], ends, strict=True))
