"""Which file a path or name in a CSV means. No TensorFlow."""

import filecmp
import os
import re
import unicodedata
import urllib.parse
from pathlib import Path, PurePosixPath

from medxray.data.layouts.pictures import is_named_like_picture, is_text
from medxray.data.layouts.walk import class_files

_SHOWN = 3


class ImageFinder:
    """Finds the files that the cells of a CSV mean.

    A cell may be a path below the folder (also in the way of Windows, or with more folders before it than there are),
    the name of a file somewhere below it, or that name without or with another extension, or in other case, or written
    as in the address of a web page (`a%20b.png`). A cell that names a folder means all images in it. Of copies of one
    file the first is meant. The folder is searched once, when a cell is no path.

    Args:
        root: absolute folder that relative paths count from.
    """

    def __init__(self, root):
        self.root = Path(root)
        self._by_name = self._by_stem = self._by_case = self._by_folder = None

    def find(self, cell):
        """The files that a cell means.

        Args:
            cell: text of the cell, blanks included.

        Returns:
            (list of absolute pathlib.Path, "") or ([], reason in words).
        """
        found, reason = self._find(cell)
        plain = urllib.parse.unquote(cell)
        return self._find(plain) if not found and plain != cell and "\0" not in plain else (found, reason)

    def _find(self, cell):
        text = cell.strip()
        for path in dict.fromkeys((cell, text, text.replace("\\", "/"))):
            if _exists(self.root / path) and not (self.root / path).is_dir():
                return [self.root / path], ""
        parts = PurePosixPath(re.sub(r"^[A-Za-z]:", "", text.replace("\\", "/"))).parts
        parts = tuple(part for part in parts if part not in ("/", "."))
        for start in range(1, len(parts) - 1):
            path = self.root.joinpath(*parts[start:])
            if path.is_relative_to(self.root) and ".." not in parts and _exists(path) and path.is_file():
                return [path], ""
        return self._searched(parts) if parts else ([], self._nowhere())

    def _nowhere(self):
        return f"there is no such file below {self.root}, the folder that paths count from"

    def _searched(self, parts):
        """The file of this name, or of this name with another extension, or the images of the folder of this name."""
        if self._by_name is None:
            self._search()
        name = _key(parts[-1])
        stem = PurePosixPath(name).stem if is_named_like_picture(name) else name
        alike = self._by_case.get(name.casefold()) or self._by_case.get(stem.removesuffix("_image").casefold())
        for found in (self._by_name.get(name), self._by_stem.get(stem), alike):
            if found:
                return self._single(found, parts)
        for folder in (name, f"s{name}", name.removesuffix("_study")):
            if folder in self._by_folder:
                return self._by_folder[folder], ""
        return [], self._nowhere()

    def _single(self, found, parts):
        """The one file of several that lies in the folders named before it."""
        if len(found) > 1:
            tails = [_common_tail(file, parts) for file in found]
            best = [file for file, tail in zip(found, tails, strict=True) if tail == max(tails)]
            found = best if max(tails) > 0 else found
        if all(_same_content(found[0], file) for file in found[1:]):
            return found[:1], ""
        names = ", ".join(str(file.relative_to(self.root)) for file in found[:_SHOWN])
        return [], f"{len(found)} files below {self.root} have this name: {names}; write the path"

    def _search(self):
        self._by_name, self._by_stem, self._by_case, self._by_folder = {}, {}, {}, {}
        for file in class_files(self.root).files:
            if is_text(file.name):
                continue
            self._by_name.setdefault(_key(file.name), []).append(file)
            stem = file.stem if is_named_like_picture(file.name) else file.name
            self._by_stem.setdefault(_key(stem), []).append(file)
            for spelling in {_key(file.name).casefold(), _key(stem).casefold()}:
                self._by_case.setdefault(spelling, []).append(file)
            for folder in file.relative_to(self.root).parts[:-1]:
                self._by_folder.setdefault(_key(folder), []).append(file)


def _same_content(file, other):
    """Whether two files are copies, as in releases that hold a folder twice."""
    try:
        return filecmp.cmp(file, other, shallow=False)
    except OSError:
        return False


def _common_tail(file, parts):
    """How many folders before the name are the same."""
    folders = zip(file.parent.parts[::-1], parts[-2::-1], strict=False)
    count = 0
    for one, other in folders:
        if _key(one) != _key(other):
            break
        count += 1
    return count


def _key(name):
    return unicodedata.normalize("NFC", name)


def _exists(path):
    try:
        return os.path.exists(path)
    except ValueError:  # a NUL byte
        return False
