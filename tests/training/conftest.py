"""A small training that is over in seconds."""

import pytest

from tests.fixtures.small_configs import small_config


@pytest.fixture
def config(phantoms, tmp_path):
    """Fine-tuning of a small network on phantoms, without export."""
    return small_config(phantoms, tmp_path, export=False)
