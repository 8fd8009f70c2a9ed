"""The table of shifted views, and what is drawn for an image."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from medxray.data.image_keys import image_keys
from medxray.data.shifts.families import DRAWS, FAMILIES, GROUPS, VIEWS, draw_choices, draws, families_of, family
from medxray.errors import ConfigError

KEYS = np.array([7, 1 << 47, 3])


def test_the_table_is_read_without_tensorflow():
    code = "import sys, medxray.data.shifts.families; sys.exit('tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


@pytest.mark.parametrize("row", FAMILIES.values(), ids=list(FAMILIES))
def test_each_family_gets_stronger_from_severity_1_to_3_and_says_how(row):
    identity = 1 if row.unit in ("factor", "exponent") or row.name == "pixelation" else 0
    less = row.name in ("jpeg", "poisson-noise")  # the lower the value, the stronger
    strength = [-value if less else abs(np.log(value)) if identity else value for value in row.values]
    assert strength == sorted(strength) and len(set(strength)) == 3
    assert row.group in GROUPS and row.unit and row.what and row.source
    assert [row.value(severity) for severity in (1, 2, 3)] == list(row.values)


def test_stretches_and_gammas_come_with_their_inverses():
    for one, other in (("narrow", "wide"), ("gamma-dark", "gamma-bright")):
        assert np.multiply(FAMILIES[one].values, FAMILIES[other].values) == pytest.approx([1, 1, 1])


def test_every_group_has_families_and_every_family_three_views():
    assert [name for group in GROUPS for name in families_of(group)] == list(FAMILIES)
    assert len(VIEWS) == 3 * len(FAMILIES)


def test_the_manual_has_a_row_for_every_family_with_its_values_and_units():
    text = (Path(__file__).resolve().parents[3] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for row in FAMILIES.values():
        values = ", ".join(f"{value:.3g}" for value in row.values)
        assert f"| {row.group} | `{row.name}` | {row.what} | {values} | {row.unit} |" in text
    assert f"{len(FAMILIES)} families in six groups" in text and f"{len(VIEWS)} views of an image" in text


def test_an_unknown_family_is_named_with_the_known_ones():
    with pytest.raises(ConfigError, match="zoom-out, crop, .*Received 'fog'"):
        family("fog")


def test_draws_depend_on_seed_key_family_and_severity_alone():
    uniform, seeds = draws("shift", 2, KEYS, seed=5)
    assert uniform.shape == (3, DRAWS) and seeds.shape == (3, 2)
    assert (uniform >= 0).all() and (uniform < 1).all() and (seeds >= 0).all()
    again = draws("shift", 2, KEYS[::-1], seed=5)
    assert np.array_equal(again[0][::-1], uniform) and np.array_equal(again[1][::-1], seeds)
    for name, severity, seed in (("turn", 2, 5), ("shift", 3, 5), ("shift", 2, 6)):
        other = draws(name, severity, KEYS, seed=seed)
        assert not (other[0] == uniform).any() and not (other[1] == seeds).any()


def test_choices_of_a_group_follow_the_image_and_are_equally_likely():
    keys = np.arange(3000)
    choices = draw_choices("sharpness", keys, seed=1)
    assert draw_choices("sharpness", keys[[5, 2]], seed=1) == [choices[5], choices[2]]
    counts = Counter(choices)
    assert set(counts) == {(name, severity) for name in families_of("sharpness") for severity in (1, 2, 3)}
    assert min(counts.values()) > 250 and max(counts.values()) < 420  # 333 expected, deviation 17


def test_keys_come_from_the_content_of_files():
    assert image_keys(["0" * 11 + "f" + "a" * 52, "f" * 64]).tolist() == [15, (1 << 48) - 1]
