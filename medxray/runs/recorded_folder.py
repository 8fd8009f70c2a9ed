"""Folders with a record of what was done in them: a JSON file that says by which kind of work it was written."""

from pathlib import Path

from medxray.errors import RunError
from medxray.system import storage


class RecordedFolder:
    """A folder with a record.

    Args:
        path: the folder.

    A subclass names its KIND, the entry `kind` of its records, which other programs do not write; RECORD, the name of
    the file; and NEEDED, the entries that a record must have with their types.
    """

    KIND, RECORD, NEEDED = "", "", {}

    def __init__(self, path):
        self.path = Path(path)
        self.record_file = self.path / self.RECORD

    @property
    def name(self):
        """Name of what was done, that of its folder."""
        return self.path.resolve().name

    def is_there(self):
        """Whether the folder has a record."""
        return self.record_file.is_file()

    def read_record(self):
        """The content of the record as a dict.

        Raises:
            RunError: it is missing, damaged or of another program.
        """
        return self._stored()

    def _stored(self):
        kind = self.KIND.replace("-", " ")
        try:
            record = storage.read_json(self.record_file)
        except (OSError, ValueError) as error:
            raise RunError(f"{self.path} is not a {kind}: {self.record_file} cannot be read ({error}).") from error
        if not isinstance(record, dict) or record.get("kind") != self.KIND:
            raise RunError(f"{self.path} is not a {kind}: {self.record_file} was written by another program.")
        lacking = [name for name, type_ in self.NEEDED.items() if type(record.get(name)) is not type_]
        if lacking or not self.is_sound(record):
            needed = ", ".join(self.NEEDED)
            raise RunError(f"{self.record_file} is damaged: it needs {needed} with proper values. Begin again.")
        return record

    def is_sound(self, record):
        """Whether a record with all entries has values that can be."""
        return True

    def update_record(self, **changes):
        """Replace some top-level entries of the record, atomically."""
        storage.write_json(self.record_file, {**self._stored(), **changes})
