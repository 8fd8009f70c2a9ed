"""Cached activations of the frozen prefix: which are wanted, which are there, and computing the others."""

import contextlib
from typing import NamedTuple

import keras
import numpy as np
import tensorflow as tf

from medxray.data.augment import PARAMETERS, policy_text
from medxray.data.images.decode import DECODING
from medxray.models.classifier import prefix
from medxray.models.inference import weights_digest
from medxray.models.names import POOLED
from medxray.models.own_preprocessing import preprocessing_of
from medxray.models.precision import FLOAT32
from medxray.moved import names_of_old_module
from medxray.system import progress
from medxray.training.frozen_prefix import BATCH, FrozenPrefix
from medxray.training.prefix_cache import Entry, EntryKey, EntryLock

__getattr__ = names_of_old_module(__name__)
CHUNK = 256  # rows per checkpoint of a cache entry
CLEAN = None  # the view without augmentation
COMPUTATION = 3  # to be raised when preprocessing or augmentation changes; decoding has a number of its own


def wanted_views(splits, views):
    """The views of a cached run: dict view -> sets of images that have it. Augmented views of train, else CLEAN."""
    unchanged = tuple(split for split in splits if split != "train")
    augmented = {view: ("train",) for view in range(views) if "train" in splits}
    return ({CLEAN: unchanged} if unchanged else {}) | augmented


class Part(NamedTuple):
    """What is cached, or not, as a whole.

    Attributes:
        cut: name of the layer.
        augmented: whether it is the augmented views of train, or else the unchanged images of all other sets.
        total: its bytes; those of images that are read after the fit count.
        missing: how many of them still have to be written.
    """

    cut: str
    augmented: bool
    total: int
    missing: int


class PrefixFeatures:
    """Cached activations of one model at several cuts. An image that is in several sets is computed once.

    Args:
        model: classifier whose prefixes are frozen as long as this object is used.
        cuts: names of the layers where activations are kept.
        arch: name of the model's architecture.
        image_set: image_set.ImageSet.
        views: number of augmented training views.
        cache_dir: folder of the cache.
        precision: in which the augmented views are computed, see models.precision. Unchanged images, from which figures
            come, are computed in float32.
        frozen: frozen_prefix.FrozenPrefix of the model, where there is one already.
    """

    def __init__(self, model, cuts, *, arch, image_set, views, cache_dir, precision=FLOAT32, frozen=None):
        self._model, self._images, self._cuts = model, image_set, tuple(cuts)
        self._arch, self._cache_dir, self._precision = arch, cache_dir, precision
        self._sets = wanted_views(image_set.rows, views)
        self.frozen = frozen or FrozenPrefix(model, image_set.source)
        self._entries, self._locks = {}, []
        for cut in cuts:
            part = prefix(model, [cut])
            digest = weights_digest(part)
            for view in self._sets:
                key = self._key(cut, digest, view, part.outputs[0].shape[1:])
                self._entries[cut, view] = Entry(cache_dir, key)

    def _key(self, cut, digest, view, shape):
        source, seed = self._images.source, self._images.seed
        augmentation = "clean" if view is CLEAN else f"{policy_text(self._images.policy)};seed={seed};view={view}"
        precision = self._precision_of(view)
        parts = (
            f"computation={COMPUTATION}",
            f"tensorflow={tf.__version__};keras={keras.__version__}",
            f"decoding={DECODING}",
            f"weights={digest}",
            f"cut={cut}",
            f"input={source.size}x{source.channels};{source.resize};{precision}",
            f"preprocessing={preprocessing_of(self._model)}",
            f"augmentation={augmentation}",
        )
        what = "unchanged" if view is CLEAN else f"view {view}"
        label = f"{self._arch} {cut} {what}" + ("" if precision == FLOAT32 else f" {precision}")
        return EntryKey("\n".join(parts), tuple(shape), label)

    def _precision_of(self, view):
        return FLOAT32 if view is CLEAN else self._precision

    def _wanted(self, view):
        """The images that have a view: dict digest -> first row with that content, in the order of the sets."""
        wanted = {}
        for row in np.concatenate([self._images.rows[name] for name in self._sets[view]]):
            wanted.setdefault(self._images.digests[row], int(row))
        return wanted

    def parts(self):
        """The Parts that are cached, in the order in which they are worth it: pooled features and unchanged images."""
        found = [self._part(cut, augmented) for cut in self._cuts for augmented in (False, True)]
        small_first = sorted((part for part in found if part.total), key=lambda part: part.total)
        return sorted(small_first, key=lambda part: part.augmented and part.cut != POOLED)

    def _part(self, cut, augmented):
        total = missing = 0
        for view in self._sets:
            entry = self._entries.get((cut, view))
            if entry is None or (view is CLEAN) == augmented:
                continue
            later = self._images.later if view is CLEAN else 0
            total += (len(self._wanted(view)) + later) * entry.key.row_bytes
            missing += (len(self._missing(cut, view)) + later) * entry.key.row_bytes
        return Part(cut, augmented, total, missing)

    def leave_out(self, parts):
        """Do without some Parts: nothing of them is computed."""
        for part in parts:
            for view in self._sets:
                if (view is CLEAN) != part.augmented:
                    self._entries.pop((part.cut, view), None)

    def has(self, cut, *, augmented):
        """Whether the augmented views of train, or the unchanged images, are cached at a cut."""
        views = [view for view in self._sets if (view is CLEAN) != augmented]
        return bool(views) and all((cut, view) in self._entries for view in views)

    def _missing(self, cut, view):
        entry = self._entries.get((cut, view))
        return [] if entry is None else entry.missing(self._wanted(view))

    def _missing_of(self, view):
        """The images whose forward pass for a view still has to be made: list of digests."""
        needed = set().union(*(self._missing(cut, view) for cut in self._cuts))
        return [digest for digest in self._wanted(view) if digest in needed]

    @property
    def missing_rows(self):
        """Forward passes that still have to be made."""
        return sum(len(self._missing_of(view)) for view in self._sets)

    @property
    def missing_augmented(self):
        """How many of them are of augmented views."""
        return sum(len(self._missing_of(view)) for view in self._sets if view is not CLEAN)

    def seconds_to_build(self):
        """About how long `build` takes, measured on one warm batch."""
        counts = {}
        for view in self._sets:
            precision = self._precision_of(view)
            counts[precision] = counts.get(precision, 0) + len(self._missing_of(view))
        return sum(
            self.frozen.seconds_per_image(self._cuts, precision) * count for precision, count in counts.items() if count
        )

    def build(self):
        """Compute what is missing; what another run or an interrupted one left is checked and used.

        The entries stay in use as long as this object lives, so that nothing removes them meanwhile. Another process
        that wants the same entries waits until they are filled, and then appends what it wants beyond that. Locks are
        taken in one order, so that two processes never wait for each other.
        """
        ordered = sorted(self._entries.items(), key=lambda item: item[1].key.name)
        self._locks = [EntryLock(entry.folder) for _, entry in ordered]
        for lock, ((_, view), entry) in zip(self._locks, ordered, strict=True):
            lock.share()
            self._check(entry, view)
        with contextlib.ExitStack() as appending:
            for lock, ((cut, view), entry) in zip(self._locks, ordered, strict=True):
                if self._missing(cut, view):
                    appending.enter_context(lock.appending())
                    self._check(entry, view)
            with progress.track(self.missing_rows, "Frozen layers") as bar:
                for view in self._sets:
                    self._fill(view, bar)
        for _, entry in ordered:
            entry.mark_used()

    def _check(self, entry, view):
        entry.read_again()
        entry.verify(self._wanted(view))

    def of(self, image_set, cuts):
        """Activations of the same model for other images without augmentation, PrefixFeatures; they are computed.

        Args:
            image_set: image_set.ImageSet.
            cuts: names of layers before which the model has not changed.
        """
        places = {"arch": self._arch, "cache_dir": self._cache_dir}
        others = PrefixFeatures(self._model, cuts, image_set=image_set, views=0, **places)
        others.build()
        return others

    def _fill(self, view, bar):
        """Compute the missing images of a view, CHUNK by CHUNK."""
        wanted, missing = self._wanted(view), self._missing_of(view)
        cuts = tuple(cut for cut in self._cuts if self._missing(cut, view))
        batches = self._computed([wanted[digest] for digest in missing], view, cuts) if missing else ()
        pending, start = [], 0
        for activations in batches:
            pending.append(activations)
            bar.advance(len(activations[0]))
            gathered = sum(len(parts[0]) for parts in pending)
            if gathered >= CHUNK or start + gathered == len(missing):
                digests = missing[start : start + gathered]
                for cut, parts in zip(cuts, zip(*pending, strict=True), strict=True):
                    self._append(self._entries[cut, view], digests, np.concatenate(parts))
                pending, start = [], start + gathered

    def _computed(self, rows, view, cuts):
        """Yield the activations of rows, a list of arrays (b,...) for each batch, one for each cut.

        The last batch is filled up: kernels for few images may round otherwise, and what an image gets must not depend
        on the images that are computed with it.
        """
        whole = np.asarray(rows + rows[-1:] * (-len(rows) % BATCH))
        forward = self.frozen.forward(cuts, self._precision_of(view))
        for number, images in enumerate(self._images.images(whole).batch(BATCH).prefetch(2)):
            start = number * BATCH
            parameters = np.zeros((BATCH, PARAMETERS), np.float32)
            if view is not CLEAN:
                parameters = self._images.parameters(whole[start : start + BATCH], view)
            outputs = forward(images, tf.constant(parameters))
            yield [output.numpy()[: len(rows) - start] for output in outputs]

    def _append(self, entry, digests, activations):
        """Append those that the entry does not have; it may have some that another cut lacks."""
        missing = set(entry.missing(digests))
        if missing:
            chosen = [row for row, digest in enumerate(digests) if digest in missing]
            entry.append([digests[row] for row in chosen], activations[chosen])

    def read(self, cut, split, view=CLEAN):
        """Activations of a split, data.rows.Rows of float16 (n, ...), memory-mapped."""
        return self._entries[cut, view].read(self._images.digests[row] for row in self._images.rows[split])
