"""What a file is that is no image which is read, by its first bytes. No TensorFlow."""

_CONVERT = "is not supported; convert it to PNG"
_JPEG_XL = (b"\0\0\0\x0cJXL ", b"\xff\x0a")
_PHOTOSHOP = b"8BPS"
_BEGINNINGS = (  # of files, with what is said of them
    (b"\xff\xd8\xff\xf7", f"JPEG-LS {_CONVERT}"),
    *((beginning, f"JPEG XL {_CONVERT}") for beginning in _JPEG_XL),
    (_PHOTOSHOP, f"a Photoshop file {_CONVERT}"),
    (b"\x93NUMPY", f"a NumPy array {_CONVERT}"),
    (b"%PDF", f"PDF {_CONVERT}"),
    (b"\x1f\x8b", "gzip is not supported; unpack it"),
    (b"PK\x03\x04", "zip is not supported; unpack it"),
    (b"\0\x05\x16\x07", "a companion file of macOS, not an image; delete it"),
    (b"version https://git-lfs", "a Git LFS pointer, not the image itself; fetch it with: git lfs pull"),
)
_PAGE = (b"<!doctype html", b"<html", b"<head", b"<body")
_NETPBM = tuple(b"P%d" % number for number in range(1, 8))


def other_kind(head):
    """What is wrong with a file that begins like this, in words; "" where nothing is known of it.

    Args:
        head: its first bytes, about 100.
    """
    start = head.lstrip().lower()
    if start.startswith(_PAGE):
        return "a web page, not an image; perhaps the answer of a download that failed: download it again"
    if start.startswith(b"<svg") or (start.startswith(b"<?xml") and b"<svg" in start):
        return f"SVG {_CONVERT}"
    if _is_pnm(head):
        return f"a PNM file {_CONVERT}"
    if head and not head.strip(b"\0"):
        return "it begins with zeros, as a file that was not copied whole; copy or download it again"
    return next((reason for beginning, reason in _BEGINNINGS if head.startswith(beginning)), "")


def is_other_picture(head):
    """True for the first bytes of a picture of a format that is not read: JPEG XL, Photoshop, PNM."""
    return head.startswith((*_JPEG_XL, _PHOTOSHOP)) or _is_pnm(head)


def _is_pnm(head):
    return head.startswith(_NETPBM) and head[2:3].isspace()
