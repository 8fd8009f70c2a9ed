"""What the name or the first bytes of a file say about whether it is a picture, of a format that is read or not."""

from pathlib import Path

from medxray.data.images.files import looks_like_image

_ENDINGS = frozenset(
    ".png .jpg .jpeg .jpe .jfif .bmp .dib .tif .tiff .dcm .dicom .webp .gif .jp2 .j2k .avif .heic .heif".split()
)
_NOT_READ = frozenset(
    ".hif .jpx .jpf .j2c .jpc .jxl .jxr .pgm .ppm .pbm .pnm .exr .hdr .tga .psd .raw .dng .svg .nii .mha .mhd .nrrd "
    ".ima".split()
)
_PACKED = frozenset(".npy .npz .mat .zip .7z .rar .tar .gz .tgz .bz2 .xz".split())
_TEXTS = frozenset(
    ".csv .tsv .txt .md .rst .pdf .json .jsonl .xml .html .htm .yaml .yml .toml .ini .log .xlsx .xls .ods .doc .docx "
    ".py .ipynb .sh .bat .h5 .hdf5 .keras .pt .pth .pkl .parquet .sqlite .db".split()
)
_SIGNATURES = (b"\0\0\0\x0cJXL ", b"\xff\x0a", b"\x93NUMPY", b"8BPS")  # of formats that are not read
_HEAD = 16  # bytes


def is_named_like_picture(name):
    """True for a file name with the extension of a picture."""
    return Path(name).suffix.casefold() in _ENDINGS


def is_text(name):
    """True for a file name with the extension of a text, a table or a model."""
    return Path(name).suffix.casefold() in _TEXTS


def is_packed(name):
    """True for a file name with the extension of an archive or of arrays, which may hold pictures."""
    return Path(name).suffix.casefold() in _PACKED


def is_picture(path):
    """True for a file that is named like a picture or begins like one, or that may hold some: of any format.

    Args:
        path: a regular file.
    """
    name = Path(path).name
    if is_text(name):
        return False
    return looks_like_image(path) or Path(name).suffix.casefold() in _NOT_READ | _PACKED or _begins_like_one(path)


def _begins_like_one(path):
    try:
        with open(path, "rb") as file:
            return file.read(_HEAD).startswith(_SIGNATURES)
    except OSError:
        return False
