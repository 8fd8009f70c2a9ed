"""Orientation tags, which are told of and never applied. No TensorFlow."""

import struct

UPRIGHT = 1  # rows from top to bottom, columns from left to right
TAG = 274  # of TIFF 6.0, and of Exif, which has it from there
_SHORT = 3


def checked_orientation(value):
    """An orientation tag, 1-8; `UPRIGHT` for a value that means nothing."""
    return value if value in range(1, 9) else UPRIGHT


def exif_orientation(data):
    """The orientation tag of an Exif block.

    Args:
        data: bytes from the block's TIFF header on.

    Returns:
        int, 1-8; `UPRIGHT` where the block has no such tag or is damaged.
    """
    try:
        order, places = _entries(data)
        values = [struct.unpack_from(order + "H", data, place + 8)[0] for place in places]
    except struct.error:
        return UPRIGHT
    return checked_orientation(values[0]) if values else UPRIGHT


def untagged(content):
    """The bytes of a TIFF whose header was accepted, with the orientation tag of its first page set to `UPRIGHT`."""
    changed = bytearray(content)
    order, places = _entries(content)
    for place in places:
        struct.pack_into(order + "HHIHH", changed, place, TAG, _SHORT, 1, UPRIGHT, 0)
    return bytes(changed)


def _entries(data):
    """(byte order, places of the entries of the first directory that hold the tag)."""
    order = "<" if data[:2] == b"II" else ">"
    offset = struct.unpack_from(order + "I", data, 4)[0]
    count = struct.unpack_from(order + "H", data, offset)[0]
    places = [offset + 2 + 12 * number for number in range(count)]
    return order, [place for place in places if struct.unpack_from(order + "H", data, place)[0] == TAG]
