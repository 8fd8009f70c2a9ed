"""A run knows which version of decoding its images went through."""

import json
import shutil

import pytest

from medxray import api
from medxray.data.images.decode import DECODING


@pytest.fixture
def trained_under(trained, tmp_path):
    """Function (version or None) -> a copy of the small run whose record says so."""

    def copy(version):
        folder = shutil.copytree(trained.path, tmp_path / "run")
        record = json.loads((folder / "run.json").read_text())
        assert record["data"]["preprocessing"].pop("decoding") == DECODING
        if version is not None:
            record["data"]["preprocessing"]["decoding"] = version
        (folder / "run.json").write_text(json.dumps(record))
        return folder

    return copy


@pytest.mark.parametrize(("version", "told"), [(None, 1), (DECODING + 1, DECODING + 1)])
def test_a_run_trained_under_another_decoding_warns_in_one_line(trained_under, version, told, caplog):
    run = api.load_run(trained_under(version))
    lines = [line for line in caplog.messages if "decoded by version" in line]
    assert run.decoding == told and len(lines) == 1
    assert f"trained on images decoded by version {told}, and they are now decoded by version {DECODING}" in lines[0]


def test_a_run_trained_under_this_decoding_is_silent(trained_under, caplog):
    api.load_run(trained_under(DECODING))
    assert "decoded by version" not in caplog.text
