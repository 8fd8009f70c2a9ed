"""Runs as training leaves them, without a model; tests must not change them."""

import pytest

from tests.fixtures.stored_runs import write_stored_run


@pytest.fixture(scope="session")
def stored_run(tmp_path_factory):
    """A run of two classes."""
    return write_stored_run(tmp_path_factory.mktemp("stored"))


@pytest.fixture(scope="session")
def three_classes(tmp_path_factory):
    """A run of three classes."""
    return write_stored_run(tmp_path_factory.mktemp("three"), classes=("NORMAL", "BACTERIAL", "VIRAL"))
