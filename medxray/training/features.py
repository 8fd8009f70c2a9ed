"""What a stage trains on: cached activations of the frozen prefix, or images augmented on-line."""

import dataclasses
import logging
import time

import numpy as np
import tensorflow as tf

from medxray.data.augment import PARAMETERS, Augment, draw_parameters, policy_text
from medxray.data.image_keys import image_keys
from medxray.data.images.decode import DECODING
from medxray.models.classifier import prefix
from medxray.models.inference import weights_digest
from medxray.models.own_preprocessing import preprocessing_of
from medxray.system import progress
from medxray.training.prefix_cache import Entry, EntryKey, EntryLock

log = logging.getLogger(__name__)
BATCH, CHUNK = 32, 256  # rows per forward pass and per checkpoint of a cache entry
CLEAN = None  # the view without augmentation
FORMAT = 2  # to be raised when preprocessing or augmentation computes something else; for decoding there is DECODING


@dataclasses.dataclass(frozen=True, eq=False)
class ImageSet:
    """The images of a run.

    Attributes:
        source: pipeline.Source over all rows of the manifest.
        labels: int64 array (n,).
        digests: SHA-256 of each file's content.
        rows: dict split -> int array of row numbers; beside splits it may hold further sets such as a sample of train.
        policy: augment.Policy.
        seed: seed of the augmentation.
        later: number of images of the run that are read after the fit; the cache keeps room for them.
    """

    source: object
    labels: np.ndarray
    digests: tuple[str, ...]
    rows: dict
    policy: object
    seed: int
    later: int = 0

    def samples(self, rows):
        """Stable numbers of images, int64 (n,), from their content, so that augmentation follows the image."""
        return image_keys(self.digests[row] for row in rows)

    def parameters(self, rows, view):
        """Augmentation parameters of some rows, float32 (n, PARAMETERS)."""
        bars = None if self.source.bars is None else self.source.bars[rows]
        return draw_parameters(self.policy, self.samples(rows), seed=self.seed, view=view, bars=bars)

    def images(self, rows):
        """tf.data of float32 images (h,w,c), not batched."""
        return self.source.dataset(rows).map(lambda image: tf.cast(image, tf.float32))


def wanted_views(splits, views):
    """The (set, view) pairs a cached run needs: augmented views of train, the clean view of all others."""
    return [(split, view) for split in splits for view in (range(views) if split == "train" else (CLEAN,))]


class PrefixFeatures:
    """Cached activations of one model at several cuts.

    Args:
        model: classifier whose prefixes are frozen as long as this object is used.
        cuts: names of the layers where activations are kept.
        arch: name of the model's architecture.
        image_set: ImageSet.
        views: number of augmented training views.
        cache_dir: folder of the cache.
    """

    def __init__(self, model, cuts, *, arch, image_set, views, cache_dir):
        self._model, self._images, self._cuts = model, image_set, tuple(cuts)
        self._arch, self._cache_dir = arch, cache_dir
        self._views = wanted_views(image_set.rows, views)
        self._entries, self._forwards, self._locks = {}, {}, []
        for cut in cuts:
            part = prefix(model, [cut])
            digest = weights_digest(part)
            for split, view in self._views:
                key = self._key(cut, digest, (split, view), part.outputs[0].shape[1:])
                self._entries[cut, split, view] = Entry(cache_dir, key)

    def _key(self, cut, digest, split_view, shape):
        split, view = split_view
        rows = self._images.rows[split]
        source = self._images.source
        augmentation = "clean"
        if view is not CLEAN:
            augmentation = f"{policy_text(self._images.policy)};seed={self._images.seed};view={view}"
        parts = (
            f"format={FORMAT}",
            f"decoding={DECODING}",
            f"weights={digest}",
            f"cut={cut}",
            f"input={source.size}x{source.channels};{source.resize};{self._model.get_layer(cut).compute_dtype}",
            f"preprocessing={preprocessing_of(self._model)}",
            f"augmentation={augmentation}",
            *(self._images.digests[row] for row in rows),
        )
        label = f"{self._arch} {cut} {split}" + ("" if view is CLEAN else f" view {view}")
        return EntryKey("\n".join(parts), tuple(shape), len(rows), label)

    @property
    def missing_bytes(self):
        """Bytes that still have to be written."""
        return sum(entry.key.total_bytes - entry.done * entry.key.row_bytes for entry in self._entries.values())

    @property
    def total_bytes(self):
        """Bytes of all entries of this run."""
        return sum(entry.key.total_bytes for entry in self._entries.values())

    @property
    def later_bytes(self):
        """Bytes of the entries of images that are read after the fit."""
        row_bytes = {cut: entry.key.row_bytes for (cut, _, _), entry in self._entries.items()}
        return self._images.later * sum(row_bytes.values())

    @property
    def missing_rows(self):
        """Forward passes that still have to be made."""
        return sum(len(self._images.rows[split]) - self._start((split, view)) for split, view in self._views)

    def _incomplete(self, split_view):
        return [cut for cut in self._cuts if not self._entries[(cut, *split_view)].complete]

    def _start(self, split_view):
        done = [self._entries[(cut, *split_view)].done for cut in self._incomplete(split_view)]
        return min(done) if done else len(self._images.rows[split_view[0]])

    def seconds_per_image(self):
        """Measure the prefix on one warm batch."""
        forward = self._forward(self._cuts)
        source = self._images.source
        batch = tf.zeros((BATCH, *source.size, source.channels))
        forward(batch, tf.zeros((BATCH, PARAMETERS)))
        begin = time.perf_counter()
        [part.numpy() for part in forward(batch, tf.zeros((BATCH, PARAMETERS)))]
        return (time.perf_counter() - begin) / BATCH

    def _forward(self, cuts):
        """The compiled prefix up to `cuts`: (images, augmentation parameters) -> float16 activations of each cut."""
        if cuts not in self._forwards:
            self._forwards[cuts] = self._compile(cuts)
        return self._forwards[cuts]

    def _compile(self, cuts):
        part, augment, source = prefix(self._model, cuts), Augment(), self._images.source
        signature = [
            tf.TensorSpec((None, *source.size, source.channels), tf.float32),
            tf.TensorSpec((None, PARAMETERS), tf.float32),
        ]

        @tf.function(input_signature=signature)
        def forward(images, parameters):
            augmented = tf.cond(
                tf.reduce_any(parameters != 0), lambda: augment(images, parameters, training=True), lambda: images
            )
            return [tf.cast(output, tf.float16) for output in tf.nest.flatten(part(augmented, training=False))]

        return forward

    def build(self):
        """Compute what is missing; what another run or an interrupted one left is checked and used.

        The entries stay locked for reading as long as this object lives, so that nothing removes them meanwhile.
        """
        entries = sorted(self._entries.values(), key=lambda entry: entry.key.name)
        shared = False
        while not shared:
            self._locks = [self._checked(entry) for entry in entries]
            with progress.track(self.missing_rows, "Frozen layers") as bar:
                for split_view in self._views:
                    cuts = tuple(self._incomplete(split_view))
                    if cuts:
                        self._fill(split_view, cuts, bar=bar)
            shared = self._share(entries)

    def _share(self, entries):
        """Turn the locks into those for reading; returns whether all entries are still there, and holds none if not.

        Each lock is free for a moment. All are given back before the first is taken again, and they are taken in one
        order, so that two runs never wait for each other.
        """
        self._release()
        for entry, lock in zip(entries, self._locks, strict=True):
            lock.share()
            entry.read_again()
        there = all(entry.complete for entry in entries)
        if not there:
            self._release()
        return there

    def _release(self):
        for lock in self._locks:
            lock.release()

    def of(self, image_set, cuts):
        """Activations of the same model for other images without augmentation, PrefixFeatures; they are computed.

        Args:
            image_set: ImageSet.
            cuts: names of layers before which the model has not changed.
        """
        places = {"arch": self._arch, "cache_dir": self._cache_dir}
        others = PrefixFeatures(self._model, cuts, image_set=image_set, views=0, **places)
        others.build()
        return others

    def _checked(self, entry):
        """Verify an entry and return the lock that it needs: for reading when it is complete, else for writing."""
        lock = EntryLock(entry.folder)
        if entry.complete:
            lock.share()
            entry.verify()
        if not entry.complete:
            lock.own()
            entry.verify()
        return lock

    def _fill(self, split_view, cuts, *, bar):
        split, view = split_view
        rows = self._images.rows[split][self._start(split_view) :]
        position = self._start(split_view)
        stream = self._images.images(rows).batch(BATCH).prefetch(2)
        pending = [[] for _ in cuts]
        for number, images in enumerate(stream):
            batch_rows = rows[number * BATCH : (number + 1) * BATCH]
            parameters = np.zeros((len(batch_rows), PARAMETERS), np.float32)
            if view is not CLEAN:
                parameters = self._images.parameters(batch_rows, view)
            for kept, output in zip(pending, self._forward(cuts)(images, parameters), strict=True):
                kept.append(output.numpy())
            bar.advance(len(batch_rows))
            gathered = sum(map(len, pending[0]))
            if gathered >= CHUNK or position + gathered == len(self._images.rows[split]):
                for cut, kept in zip(cuts, pending, strict=True):
                    entry = self._entries[cut, split, view]
                    if entry.done == position:
                        entry.append(np.concatenate(kept))
                position += gathered
                pending = [[] for _ in cuts]

    def read(self, cut, split, view=CLEAN):
        """Activations of a split, float16 array (n, ...), memory-mapped."""
        return self._entries[cut, split, view].read()
