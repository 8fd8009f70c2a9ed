"""What the page is made of."""

import re
from pathlib import Path

import medxray
from medxray.system.storage import file_sha256

PLOTLY = Path(medxray.__file__).parent / "report" / "template" / "plotly"


def test_the_copy_of_plotly_is_the_file_that_its_readme_says():
    text = (PLOTLY / "README.md").read_text(encoding="utf-8")
    (file,) = PLOTLY.glob("*.js")
    assert f"`{file.name}`, {file.stat().st_size:,} bytes" in text and file_sha256(file) in text
    version = re.search(r"\| version \| ([\d.]+) \|", text)[1]
    assert f"plotly.js (basic - minified) v{version}" in file.read_text(encoding="utf-8")[:100]
    assert "MIT License" in (PLOTLY / "LICENSE").read_text(encoding="utf-8")
    assert "</script" not in file.read_text(encoding="utf-8").lower()
