"""Which activations a run caches, given `--cache-budget` and the free disk, and what it says about that."""

import logging
import shutil

from medxray.system.storage import existing_folder, size_text

log = logging.getLogger(__name__)


def keep_what_fits(features, cache_dir, budget):
    """Leave out the parts that are too large, the least worth caching first, and name them.

    Args:
        features: features.PrefixFeatures.
        cache_dir: folder of the cache.
        budget: bytes that the cache of a run may have.

    Returns:
        bool, whether anything is cached.
    """
    place = existing_folder(cache_dir)
    free = shutil.disk_usage(place).free
    kept, beyond, no_room = [], [], []
    for part in features.parts():
        if part.total > budget:
            beyond.append(part)
        elif part.missing > free:
            no_room.append(part)
        else:
            kept.append(part)
            budget, free = budget - part.total, free - part.missing
    features.leave_out([*beyond, *no_room])
    for parts, reason in (
        (beyond, "beyond --cache-budget"),
        (no_room, f"{place} has no room; free disk space or give --cache-dir"),
    ):
        if parts:
            log.warning(
                "Not cached, %s: %s. Those frozen layers are computed again whenever they are needed. Cached: %s.",
                reason,
                _named(parts),
                _named(kept) or "nothing",
            )
    return bool(kept)


def _named(parts):
    return ", ".join(f"{_name(part)} ({size_text(part.total)})" for part in parts)


def _name(part):
    return f"{part.cut} of {'training views' if part.augmented else 'unchanged images'}"


def announce(features, cache_dir):
    """Log what is there and how long the rest takes."""
    total = sum(part.total for part in features.parts())
    missing = sum(part.missing for part in features.parts())
    if not features.missing_rows:
        log.info("Frozen layers: all activations found in %s (%s).", cache_dir, size_text(total))
        return
    seconds = features.seconds_to_build()
    log.info(
        "Frozen layers: %d images and views to compute once, about %s, %s in %s.",
        features.missing_rows,
        f"{seconds / 60:.0f} min" if seconds > 90 else f"{seconds:.0f} s",
        size_text(missing),
        cache_dir,
    )
