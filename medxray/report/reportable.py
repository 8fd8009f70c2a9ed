"""What a run says of itself: its report, and what a notebook shows of it."""

import html
import os
from dataclasses import dataclass
from pathlib import Path

from medxray.errors import MedxrayError
from medxray.report.contents import read_contents
from medxray.report.elements import element, joined
from medxray.report.report import facts_of, write_report
from medxray.report.sections.overview import overview

_HEIGHT = 720  # of the report in a notebook, pixels


@dataclass(frozen=True)
class ReportFile(os.PathLike):
    """A written report, which a notebook shows.

    Attributes:
        path: pathlib.Path of the HTML file.
    """

    path: Path

    def __fspath__(self):
        return str(self.path)

    def __str__(self):
        return str(self.path)

    def _repr_html_(self):
        """The page in a frame of its own, with all that it holds: a notebook that is saved needs no other file."""
        page = html.escape(self.path.read_text(encoding="utf-8"))
        frame = f'sandbox="allow-scripts" title="Report" width="100%" height="{_HEIGHT}" style="border: 1px solid #888"'
        return f'<iframe srcdoc="{page}" {frame}></iframe>'


class Reportable:
    """The report of a run, and its figures where a notebook shows it."""

    def report(self, out=None, *, gallery=False):
        """Write the run as one HTML file, as `medxray report`.

        Args:
            out: the file; None: `report.html` in the run.
            gallery: compute Grad-CAM of at most 48 images first, and keep it in the run.

        Returns:
            ReportFile. A notebook shows it.

        Raises:
            MedxrayError: as for `report.report.write_report` and `report.heatmaps.keep_heatmaps`.
        """
        if gallery:
            from medxray.report.heatmaps import keep_heatmaps

            keep_heatmaps(self)
        return ReportFile(write_report(self.path, out))

    def __repr__(self):
        return f"<{type(self).__name__} {self.path}>"

    def _repr_html_(self):
        """Its figures with intervals where it was evaluated, what it is, and where it lies."""
        facts = [element("strong", self.name), element("br"), facts_of(self.record), element("br"), str(self.path)]
        return str(element("div", element("p", *facts), self._figures()))

    def _figures(self):
        try:
            return overview(read_contents(self.path)).body
        except MedxrayError as error:  # a notebook shows what there is
            return joined(element("p", str(error)))
