"""What the name or the first bytes of a file say about whether it is a picture, of a format that is read or not."""

from pathlib import Path

from medxray.data.images.files import looks_like_image

_READ = frozenset(".png .jpg .jpeg .jpe .jfif .bmp .dib .tif .tiff .dcm .dicom".split())
_OTHER = frozenset(
    ".webp .gif .heic .heif .hif .avif .jp2 .j2k .jpx .jpf .j2c .jpc .jxl .jxr .pgm .ppm .pbm .pnm .exr .hdr .tga "
    ".psd .raw .dng .svg .nii .mha .mhd .nrrd .npy .npz .mat .ima .pdf .zip .7z .rar .tar .gz .bz2 .xz".split()
)
_TEXTS = frozenset(
    ".csv .tsv .txt .md .rst .json .jsonl .xml .html .htm .yaml .yml .toml .ini .log .xlsx .xls .ods .doc .docx .py "
    ".ipynb .sh .bat .h5 .hdf5 .keras .pt .pth .pkl .parquet .sqlite .db".split()
)
_HEAD = 16  # bytes
_SIGNATURES = (
    b"GIF8",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
    b"\0\0\0\x0cJXL ",
    b"\xff\x0a",
    b"%PDF",
    b"\x93NUMPY",
    b"8BPS",
)
_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1", b"avif", b"avis")
_DICOM_GROUPS = (b"\x02\0\0\0", b"\x08\0\0\0", b"\x08\0\x01\0", b"\x08\0\x05\0", b"\x08\0\x08\0")


def is_named_like_picture(name):
    """True for a file name with the extension of a picture that is read."""
    return Path(name).suffix.casefold() in _READ


def is_text(name):
    """True for a file name with the extension of a text, a table or a model."""
    return Path(name).suffix.casefold() in _TEXTS


def is_picture(path):
    """True for a file that is named like a picture or begins like one, of a format that is read or of another one.

    Args:
        path: a regular file.
    """
    name = Path(path).name
    if is_text(name):
        return False
    return looks_like_image(path) or Path(name).suffix.casefold() in _OTHER or _begins_like_one(path)


def _begins_like_one(path):
    try:
        with open(path, "rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    if head[:4] == b"RIFF":
        return head[8:12] == b"WEBP"
    if head[4:8] == b"ftyp":
        return head[8:12] in _BRANDS
    return head.startswith(_SIGNATURES) or head.startswith(_DICOM_GROUPS)
