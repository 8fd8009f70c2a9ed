"""The sample of real X-rays: what is in it, who finds it, who passes it over."""

import shutil

import pytest

from medxray.data.audit.findings import audit
from medxray.data.layouts.sources import load_manifest
from medxray.data.sample import copy_sample, is_sample, sample_folder
from medxray.errors import DataError


@pytest.fixture
def with_sample(make_tree):
    """Function (*names) -> folder with these pictures and the sample beside them."""

    def make(*names):
        folder = make_tree(*names)
        shutil.copytree(sample_folder(), folder / "sample")
        return folder

    return make


def test_sample_has_enough_patients_of_each_kind_in_less_than_2_mb():
    manifest = load_manifest(sample_folder())
    assert (manifest.task, len(manifest), manifest.grouped, manifest.skipped) == ("pneumonia", 240, True, ())
    three = load_manifest(sample_folder(), task="pneumonia-subtype").counts().set_index("label")
    assert three["images"].to_dict() == {"NORMAL": 120, "BACTERIAL": 60, "VIRAL": 60}
    assert three["patients"].min() >= 40
    assert sum(file.stat().st_size for file in sample_folder().rglob("*") if file.is_file()) < 2_000_000


def test_sample_is_sound_and_shows_no_picture_twice():
    found = audit(load_manifest(sample_folder()), strict=True)
    assert set(found.sizes()["width"].values()) == set(found.sizes()["height"].values()) == {224.0}
    assert found.duplicates.groups == 0


def test_sample_names_its_licence_and_source():
    text = (sample_folder() / "README.md").read_text(encoding="utf-8")
    assert all(fact in text for fact in ("Kermany", "Zhang", "Goldbaum", "10.17632/rscbjbr9sj", "licenses/by/4.0"))


def test_copy_has_the_images_and_the_licence(tmp_path):
    assert copy_sample(tmp_path / "xrays") == 240
    own, copied = (
        {f.relative_to(top): f.read_bytes() for f in top.rglob("*") if f.is_file()}
        for top in (sample_folder(), tmp_path / "xrays")
    )
    assert own == copied
    assert len(load_manifest(tmp_path / "xrays")) == 240
    with pytest.raises(DataError, match="xrays is not empty. Name a new folder"):
        copy_sample(tmp_path / "xrays")


LAYOUTS = {
    "a set": ("chest_xray/train/NORMAL/a.png", "chest_xray/train/PNEUMONIA/b.png"),
    "splits": ("train/NORMAL/a.png", "train/PNEUMONIA/b.png"),
    "classes": ("NORMAL/a.png", "PNEUMONIA/b.png"),
    "other classes": ("edema/a.png", "effusion/b.png"),
}


@pytest.mark.parametrize("names", LAYOUTS.values(), ids=LAYOUTS)
def test_sample_beside_a_dataset_is_passed_over_and_told(with_sample, names, caplog):
    positive = "edema" if "edema/a.png" in names else None
    with caplog.at_level("INFO", logger="medxray"):
        manifest = load_manifest(with_sample(*names), positive=positive)
    assert len(manifest) == 2
    assert "sample (the sample of medxray, which is read only where --data names it)" in caplog.text


def test_sample_alone_is_no_data_until_it_is_named(with_sample):
    folder = with_sample()
    with pytest.raises(DataError, match=f"No images found in .*to use it, pass --data {folder / 'sample'}"):
        load_manifest(folder)
    assert len(load_manifest(folder / "sample")) == 240


def test_a_class_called_sample_is_a_class(make_tree):
    folder = make_tree("sample/a.png", "other/b.png")
    assert not is_sample(folder / "sample")
    assert load_manifest(folder, label_map={"sample": "sick"}, positive="sick").classes == ("other", "sick")
