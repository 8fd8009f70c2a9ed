"""Reads a file in memory from front to back and never beyond its end."""

import struct

from medxray.models.tensor_files.refused import Refused

LONGEST_TEXT = 4096  # bytes; names of tensors have less than 100


class Cursor:
    """A place in bytes.

    Args:
        content: bytes of the whole file.
    """

    def __init__(self, content):
        self._content, self.position = memoryview(content), 0

    @property
    def left(self):
        """Number of bytes behind the place."""
        return len(self._content) - self.position

    def take(self, count):
        """The next `count` bytes, as a memoryview of the file; Refused where there are fewer."""
        if count > self.left:
            raise Refused(f"it ends at byte {len(self._content)}, where {count} more are needed at {self.position}")
        self.position += count
        return self._content[self.position - count : self.position]

    def number(self, form):
        """The next number, little-endian, in a form of `struct`."""
        return struct.unpack(f"<{form}", self.take(struct.calcsize(form)))[0]

    def text(self, count, encoding="utf-8"):
        """The next `count` bytes as text."""
        if count > LONGEST_TEXT:
            raise Refused(f"a text of {count} bytes stands at byte {self.position}, where {LONGEST_TEXT} are the most")
        try:
            return str(self.take(count), encoding)
        except UnicodeDecodeError as error:
            raise Refused(f"the text at byte {self.position} is not {encoding}") from error

    def line(self):
        """The text up to the next line feed, which is passed over."""
        ahead = bytes(self._content[self.position : self.position + LONGEST_TEXT])
        count = ahead.find(b"\n")
        if count < 0:
            raise Refused(f"the line at byte {self.position} has no end")
        text = self.text(count)
        self.take(1)
        return text
