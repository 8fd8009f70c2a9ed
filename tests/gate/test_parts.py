"""The gate's file: what is written is read back, and nothing else is."""

import numpy as np
import pytest

from medxray.errors import RunError
from medxray.gate.gaussian import Gaussian
from medxray.gate.parts import DESCRIBED, Gate, read_gate, write_gate
from medxray.system import storage


@pytest.fixture
def small():
    rng = np.random.default_rng(0)

    def one(d):
        return Gaussian(rng.normal(size=d).astype(np.float32), rng.normal(size=(d, d)).astype(np.float32))

    return Gate(
        *(one(d) for d in (256, 3, 448, 5)), np.array([1, 2, 3, 4, 1.5], np.float32), accepted=0.99, validation=300
    )


def arrays_of(file):
    with np.load(file) as stored:
        return {name: stored[name] for name in stored.files}


def test_a_gate_is_read_as_it_was_written(small, tmp_path):
    write_gate(tmp_path / "gate.npz", small)
    again = read_gate(tmp_path / "gate.npz", features=5)
    for name in DESCRIBED:
        np.testing.assert_array_equal(getattr(again, name).mean, getattr(small, name).mean)
        np.testing.assert_array_equal(getattr(again, name).whitening, getattr(small, name).whitening)
    np.testing.assert_array_equal(again.scales, small.scales)
    assert (again.accepted, again.validation) == (0.99, 300)


@pytest.mark.parametrize(
    "change",
    [
        {"kind": np.array("other")},
        {"kind": None},
        {"scales": np.array([1, 2, 3, 4, 0], np.float32)},
        {"scales": np.ones(3, np.float32)},
        {"features_mean": np.full(5, np.nan, np.float32)},
        {"features_mean": np.ones(5)},
        {"features_whitening": np.ones((4, 5), np.float32)},
        {"texture_mean": np.ones(6, np.float32), "texture_whitening": np.ones((6, 6), np.float32)},
        {"layout_mean": np.array(1.0, np.float32)},
        {"accepted": np.ones(2)},
        {"scales": np.array([{}] * 5, object)},
    ],
    ids=lambda change: "-".join(change),
)
def test_a_file_whose_parts_do_not_fit_is_refused(small, tmp_path, change):
    file = tmp_path / "gate.npz"
    write_gate(file, small)
    arrays = {name: array for name, array in {**arrays_of(file), **change}.items() if array is not None}
    np.savez(file, **arrays)
    with pytest.raises(RunError, match="damaged, holds pickled objects or is no gate"):
        read_gate(file, features=5)


def test_damaged_missing_and_foreign_files_are_refused(small, tmp_path):
    file = tmp_path / "gate.npz"
    with pytest.raises(RunError, match="cannot be read: No such file"):
        read_gate(file, features=5)
    write_gate(file, small)
    with pytest.raises(RunError, match="5 pooled features, that of this run has 6"):
        read_gate(file, features=6)
    file.write_bytes(file.read_bytes()[:-400])
    with pytest.raises(RunError, match="damaged"):
        read_gate(file, features=5)
    storage.write_text(file, "no npz")
    with pytest.raises(RunError, match="damaged"):
        read_gate(file, features=5)
