"""A run in TensorBoard: figures of every epoch, then those of the splits, PR curves, heatmaps, and its options."""

import logging

import numpy as np
import tensorflow as tf

from medxray.metrics.prediction_table import read_predictions
from medxray.report.chosen import error_rows, sample_rows
from medxray.report.contents import read_contents
from medxray.tracking.facts import epoch_figures, final_figures, options_told

log = logging.getLogger(__name__)
_HEATMAPS, _OF_A_KIND = 8, 2  # images at most, and most confident errors of each kind among them


class TensorBoardLog:
    """Writes events into the folder `tensorboard` of a run.

    Args:
        run: runs.directory.RunDir.
        config: resolved training.config.TrainConfig.
    """

    def __init__(self, run, config):
        self._options, self._writer = options_told(config), tf.summary.create_file_writer(str(run.events_folder))
        self._write(self._options_event)

    def on_epoch(self, stage, epoch, values):
        """Write the figures of an epoch."""
        figures = epoch_figures(stage, values)
        self._write(lambda: [tf.summary.scalar(name, value, step=epoch) for name, value in figures.items()])

    def on_complete(self, trained):
        """Write what the evaluation and the model say; what cannot be written is a warning."""
        contents = read_contents(trained.path)
        try:
            self._write(self._final, contents)
            self._write(self._curves, contents)
            self._write(self._heatmaps, contents, trained)
            self._writer.close()
        except (OSError, tf.errors.OpError) as error:
            log.warning("The run is complete, but not all of it is in TensorBoard: %s", str(error).splitlines()[0])

    def on_stop(self):
        """Close the file of a run that was not completed."""
        self._writer.close()

    def _write(self, what, *subjects):
        with self._writer.as_default(step=0):
            what(*subjects)
        self._writer.flush()

    def _options_event(self):
        from tensorboard.plugins.hparams import api

        api.hparams(self._options)

    def _final(self, contents):
        for name, value in final_figures(contents.reports).items():
            tf.summary.scalar(name, value)

    def _curves(self, contents):
        for split in contents.reports:
            part = read_predictions(contents.directory.latest_evaluation(split).predictions_file)[split]
            probabilities = part.probabilities(contents.decision.calibration)
            shown = range(1, 2) if part.is_binary else range(len(part.classes))
            for k in shown:
                _curve(f"{split}/{part.classes[k]}", part.y_true == k, probabilities[:, k])

    def _heatmaps(self, contents, trained):
        rows = _rows(contents)
        names = [str(file) for file in contents.files_of(contents.predictions.paths[row] for row in rows)]
        found, unread = trained.gradcam(names) if names else ([], {})
        for name, reason in unread.items():
            log.warning("No heatmap for TensorBoard: %s: %s", name, reason)
        for number, heatmap in enumerate(found, 1):
            picture = tf.io.decode_png(heatmap._repr_png_(), channels=3)
            tf.summary.image(f"{contents.split}/heatmap {number}", picture[tf.newaxis])


def _rows(contents):
    """Rows of some images: the most confident errors of each kind, then a random sample."""
    errors = [int(row) for rows in error_rows(contents).values() for row in rows[:_OF_A_KIND]]
    return list(dict.fromkeys([*errors, *map(int, sample_rows(contents))]))[:_HEATMAPS]


def _curve(name, truth, probability):
    from tensorboard.plugins.pr_curve import summary

    found = summary.pb(name, np.asarray(truth, bool), np.asarray(probability, float))
    tf.summary.experimental.write_raw_pb(found.SerializeToString(), step=0)
