"""What the name or the first bytes of a file say about whether it is a picture, of a format that is read or not."""

from pathlib import Path

from medxray.data.images.files import SUFFIXES, first_bytes, looks_like_image
from medxray.data.images.other_kinds import is_other_picture

_NOT_READ = frozenset(
    ".hif .jpx .jpf .j2c .jpc .jxl .jxr .pgm .ppm .pbm .pnm .exr .hdr .tga .psd .raw .dng .svg .nii .mha .mhd .nrrd "
    ".ima".split()
)
_PACKED = frozenset(".npy .npz .mat .zip .7z .rar .tar .gz .tgz .bz2 .xz".split())
_TEXTS = frozenset(
    ".csv .tsv .txt .md .rst .pdf .json .jsonl .xml .html .htm .yaml .yml .toml .ini .log .xlsx .xls .ods .doc .docx "
    ".py .ipynb .sh .bat .h5 .hdf5 .keras .pt .pth .pkl .parquet .sqlite .db".split()
)


def is_named_like_picture(name):
    """True for a file name with the extension of a picture."""
    return Path(name).suffix.casefold() in SUFFIXES


def is_text(name):
    """True for a file name with the extension of a text, a table or a model."""
    return Path(name).suffix.casefold() in _TEXTS


def is_packed(name):
    """True for a file name with the extension of an archive or of arrays, which may hold pictures."""
    return Path(name).suffix.casefold() in _PACKED


def looks_like_picture(path):
    """True for a file that is named like a picture or begins like one, of any format, read or not; no archives.

    Args:
        path: a file.
    """
    name = Path(path).name
    if looks_like_image(path):
        return True
    return not is_text(name) and (_inner_suffix(name) in SUFFIXES | _NOT_READ or is_other_picture(first_bytes(path)))


def is_picture(path):
    """True for a file that `looks_like_picture`, or that may hold pictures; False where it is named as a text.

    Args:
        path: a file.
    """
    name = Path(path).name
    return not is_text(name) and (is_packed(name) or looks_like_picture(path))


def _inner_suffix(name):
    """The extension of a file name, of x.nii.gz that of x.nii."""
    suffix = Path(name).suffix.casefold()
    return Path(Path(name).stem).suffix.casefold() if suffix == ".gz" else suffix
