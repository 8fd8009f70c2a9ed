"""What a run holds for its report. No TensorFlow."""

from functools import cached_property

from medxray.embeddings.vectors import read_embeddings
from medxray.report.heat import read_heats
from medxray.runs.contents import StoredContents


class Contents(StoredContents):
    """A completed run and what it has stored, with what only a report shows."""

    @cached_property
    def embeddings(self):
        """Embeddings of the run's images, or None."""
        file = self.directory.embeddings_file
        return read_embeddings(file) if file.is_file() else None

    @cached_property
    def heats(self):
        """The Heats that the run holds, or None."""
        file = self.directory.gallery_file
        return read_heats(file) if file.is_file() else None


def read_contents(path):
    """Read what a run holds, as a Contents; `runs.contents.StoredContents.read` says what may go wrong."""
    return Contents.read(path)
