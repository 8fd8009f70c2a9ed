"""No class, file or link of a folder tree vanishes without a word."""

import os
import unicodedata

import cv2
import numpy as np
import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.data.manifest import read_split_csv, write_split_csv
from medxray.errors import DataError

HEIC = b"\0\0\0\x18ftypheic" + b"\0" * 100
CLASSES = ("NORMAL/a.png", "NORMAL/b.png", "PNEUMONIA/c.png", "PNEUMONIA/d.png")


def as_split(manifest, path):
    """A manifest written with splits and read again."""
    write_split_csv(manifest.where([True] * len(manifest)), path)
    text = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    path.write_text("\n".join([text[0], *(line + "train" for line in text[1:])]) + "\n", encoding="utf-8")
    fields = {"root": manifest.root, "task": manifest.task, "classes": manifest.classes}
    return read_split_csv(path, positive=manifest.positive, **fields)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.heic", HEIC),
        ("x", HEIC),
        ("x.jpg", HEIC),
        ("x.png", b""),
        ("x.npy", b"\x93NUMPY" + b"\0" * 50),
        ("x.nii", b"\0" * 400),
        ("x.jxl", b"\xff\x0a" + b"\0" * 50),
        ("x.zip", b"PK\x03\x04" + b"\0" * 50),
        ("deep/er/x.heic", HEIC),
    ],
)
@pytest.mark.parametrize("place", ["COVID", "NORMAL"])
def test_a_class_without_a_readable_image_stops_with_its_name_and_what_it_holds(make_tree, name, content, place):
    folder = make_tree(*CLASSES)
    for file in (folder / place).glob("*"):
        file.unlink()
    (folder / place / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / place / name).write_bytes(content)
    with pytest.raises(
        DataError, match=rf"Class folder .*{place} holds no readable image \(1 files, .*{place}/{name}: "
    ):
        load_manifest(folder)


@pytest.mark.parametrize("place", ["COVID", "COVID/inner", "train/COVID", "val/NORMAL"])
def test_an_empty_class_folder_stops_with_its_name(make_tree, place):
    split = place.startswith(("train", "val"))
    folder = make_tree(
        *(f"{part}/{name}" for part in ("train", "test", "val") for name in CLASSES) if split else CLASSES
    )
    for file in (folder / place).glob("*") if (folder / place).exists() else ():
        file.unlink()
    (folder / place).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError, match=r"holds no readable image \(it is empty\). Put images into it"):
        load_manifest(folder)


def test_a_class_of_webp_alone_is_a_class(make_tree):
    folder = make_tree(*CLASSES)
    (folder / "COVID").mkdir()
    picture = np.random.default_rng(0).integers(0, 256, (20, 20, 3), dtype=np.uint8)
    (folder / "COVID" / "x.webp").write_bytes(cv2.imencode(".webp", picture)[1].tobytes())
    assert load_manifest(folder).classes == ("COVID", "NORMAL", "PNEUMONIA")


@pytest.mark.parametrize("name", ["chest_xray.zip", "pneumoniamnist.npz", "images.tar.gz"])
def test_a_folder_with_an_archive_and_no_images_says_to_unpack_it(tmp_path, name):
    (tmp_path / name).write_bytes(b"PK\x03\x04")
    (tmp_path / "README.txt").write_text("text")
    with pytest.raises(DataError, match=f"holds no images but {name}. Unpack it"):
        load_manifest(tmp_path)


def test_folders_of_texts_and_empty_splits_are_named_and_no_classes(make_tree):
    folder = make_tree(*CLASSES)
    (folder / "notes").mkdir()
    (folder / "notes" / "a.txt").write_text("text")
    (folder / "notes" / "paper.pdf").write_bytes(b"%PDF-1.4")
    manifest = load_manifest(folder)
    assert manifest.classes == ("NORMAL", "PNEUMONIA")
    assert [(item.path, item.reason) for item in manifest.ignored] == [("notes", "it holds no images")]


def test_an_empty_split_folder_is_named(make_tree):
    folder = make_tree(*(f"train/{name}" for name in CLASSES))
    (folder / "val").mkdir()
    assert [item.path for item in load_manifest(folder).ignored] == ["val"]


@pytest.mark.parametrize(
    "masks",
    [
        *("masks", "Lung Masks", "mask", "lung_mask", "leftMask", "Segmentation", "lung-segmentations"),
        *("SegmentationClass", "Ground Truth", "maskImages", "ManualMask/leftMask"),
    ],
)
@pytest.mark.parametrize("inside", [True, False])
def test_mask_folders_are_left_out_and_counted(make_tree, masks, inside):
    places = [f"{name.split('/')[0]}/images/{name.split('/')[1]}" for name in CLASSES]
    folder = make_tree(
        *places, *((f"NORMAL/{masks}/a.png", f"PNEUMONIA/{masks}/c.png") if inside else (f"{masks}/a.png",))
    )
    manifest = load_manifest(folder)
    assert len(manifest) == 4 and manifest.classes == ("NORMAL", "PNEUMONIA")
    count = "2 mask images are left out" if inside else "1 mask image is left out"
    assert [item.reason.split(",")[0] for item in manifest.ignored] == [count]


def test_masks_beside_their_images_are_left_out_and_counted(make_tree, caplog):
    names = ("NORMAL/a_mask.png", "NORMAL/b-mask.png", "PNEUMONIA/c_seg.png", "PNEUMONIA/lonely_mask.png")
    with caplog.at_level("INFO", logger="medxray"):
        manifest = load_manifest(make_tree(*CLASSES, *names))
    assert manifest.table["path"].tolist() == sorted([*CLASSES, "PNEUMONIA/lonely_mask.png"])
    assert "3 mask images are left out" in caplog.text


@pytest.mark.parametrize(
    "name",
    "mask_a a_lung_mask a_lungmask a-infection-mask a_mask_left a_mask1 a(mask) A_MASK a_left_mask seg_a".split(),
)
def test_a_file_named_as_the_mask_of_another_is_a_mask(make_tree, name):
    manifest = load_manifest(make_tree(*CLASSES, f"NORMAL/{name}.png"))
    assert len(manifest) == 4 and "1 mask image is left out" in manifest.ignored[0].reason


@pytest.mark.parametrize("name", ["mask", "b_mask2_right_lateral", "a_left", "a_unmasked", "c_mask", "segment_a"])
def test_other_names_with_such_words_are_images(make_tree, name):
    assert len(load_manifest(make_tree(*CLASSES, f"NORMAL/{name}.png"))) == 5


def test_a_folder_named_segmentation_that_holds_images_beside_masks_is_no_mask_folder(make_tree):
    names = [f"CHNCXR_000{n}_{n % 2}" for n in range(4)]
    kinds = [f"Lung Segmentation/{kind}/{name}.png" for kind in ("CXR_png", "masks") for name in names]
    manifest = load_manifest(make_tree(*kinds))
    assert len(manifest) == 4 and "4 mask images are left out" in manifest.ignored[0].reason


def test_a_class_folder_whose_images_are_missing_beside_its_masks_stops(make_tree):
    kinds = ("images", "masks")
    folder = make_tree(*(f"{label}/{kind}/{n}.png" for label in ("COVID", "Normal") for kind in kinds for n in (1, 2)))
    for file in (folder / "COVID" / "images").iterdir():
        file.unlink()
    with pytest.raises(DataError, match=r"COVID holds no readable image \(only masks, such as 1.png\)"):
        load_manifest(folder)


def test_classes_with_and_without_a_face_mask_are_classes(make_tree):
    manifest = load_manifest(make_tree("with_mask/a.png", "without_mask/b.png"), positive="with_mask")
    assert manifest.classes == ("without_mask", "with_mask")


def test_a_covid_qu_ex_tree_gives_its_splits_and_classes(make_tree):
    top = "Infection Segmentation Data"
    names = [
        f"{top}/{top}/{split}/{label}/{kind}/{label}_{n}.png"
        for split in ("Train", "Val", "Test")
        for label in ("COVID-19", "Non-COVID", "Normal")
        for kind in ("images", "lung masks", "infection masks")
        for n in range(2)
    ]
    manifest = load_manifest(make_tree(*names))
    assert manifest.classes == ("COVID-19", "Non-COVID", "Normal") and len(manifest) == 18
    assert "36 mask images are left out" in manifest.ignored[0].reason


@pytest.mark.parametrize(
    "names",
    [
        ("images_001/images/1.png", "images_002/images/2.png"),
        ("train/patient00001/study1/a.png", "train/patient00002/study1/b.png", "valid/patient00003/study1/c.png"),
        ("files/p10/p10000032/s50414267/a.png", "files/p11/p11000032/s50414268/b.png"),
        ("stage_2_train_images/a.png", "stage_2_test_images/b.png"),
        ("images/a.png", "images/b.png"),
        ("0001/a.png", "0002/b.png", "0003/c.png"),
        ("part1/a.png", "part2/b.png"),
        ("1.2.840.113619.2/a.png", "1.2.840.113619.3/b.png"),
        ("0a1b2c3d4e5f6a7b/a.png", "ffffffffffffffff/b.png"),
        ("case-12/a.png", "case-13/b.png"),
    ],
)
def test_numbering_and_patient_folders_are_no_classes(make_tree, names):
    folder = make_tree(*names)
    with pytest.raises(
        DataError, match=r"number or hold the images and are no classes.*stands in a CSV of the release"
    ):
        load_manifest(folder)
    (folder / "labels.csv").write_text("Image Index,Finding Labels,Patient ID\n1.png,Mass,1\n")
    with pytest.raises(
        DataError, match="labels.csv with --path-col 'Image Index' --label-col 'Finding Labels' --patient"
    ):
        load_manifest(folder)


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_numbers_from_zero_to_at_most_four_are_grades(make_tree, count, caplog):
    with caplog.at_level("INFO", logger="medxray"):
        manifest = load_manifest(make_tree(*(f"{grade}/x.png" for grade in range(count))))
    assert manifest.classes == tuple(map(str, range(count)))
    assert ("are taken for grades" in caplog.text) == (count > 2)


def test_numbers_beside_a_table_of_labels_are_no_grades(make_tree):
    folder = make_tree("0/a.png", "1/b.png", "2/c.png")
    (folder / "notes.csv").write_text("age,sex\n5,F\n")
    assert load_manifest(folder).classes == ("0", "1", "2")
    (folder / "PADCHEST.csv").write_text(",ImageID,ImageDir,PatientID,Labels\n0,a.png,0,7,\"['normal']\"\n")
    with pytest.raises(
        DataError, match="PADCHEST.csv with --path-col ImageID --label-col Labels --patient-col PatientID"
    ):
        load_manifest(folder)


@pytest.mark.parametrize("names", [("0", "1", "3"), ("1", "2", "3"), ("00", "01", "02"), tuple("012345")])
def test_other_numbers_are_no_classes(make_tree, names):
    with pytest.raises(DataError, match=f"are no classes: {', '.join(names[:4])}"):
        load_manifest(make_tree(*(f"{name}/x.png" for name in names)))


def test_numbers_with_a_name_are_classes(make_tree):
    folder = make_tree("1/a.png", "0/b.png", "2/c.png")
    assert load_manifest(folder, label_map={"0": "none", "1": "mild", "2": "severe"}).classes == (
        "mild",
        "none",
        "severe",
    )
    assert load_manifest(folder, task="folders", classes=("0", "1", "2")).classes == ("0", "1", "2")


@pytest.mark.parametrize(
    "names", [("type1/a.png", "type2/b.png"), ("stage 1/a.png", "stage 2/b.png"), ("x/a.png", "y/b.png")]
)
def test_short_and_numbered_names_of_classes_stay_classes(make_tree, names):
    assert len(load_manifest(make_tree(*names), positive=names[0].split("/")[0]).classes) == 2


def test_labels_in_file_names_of_the_tuberculosis_sets_are_read(make_tree):
    names = ("CXR_png/CHNCXR_0001_0.png", "CXR_png/CHNCXR_0327_1.png", "mask/CHNCXR_0001_0_mask.png")
    manifest = load_manifest(make_tree(*names))
    assert (manifest.classes, manifest.positive) == (("NORMAL", "TUBERCULOSIS"), "TUBERCULOSIS")
    assert manifest.table["patient_id"].tolist() == ["CHNCXR_0001", "CHNCXR_0327"] and manifest.grouped


def test_two_tuberculosis_sets_side_by_side_are_read_by_their_file_names(make_tree):
    names = ("China/CHNCXR_0001_0.png", "China/CHNCXR_0327_1.png", "US/MCUCXR_0001_0.png", "US/MCUCXR_0104_1.png")
    folder = make_tree(*names)
    assert load_manifest(folder).labels().tolist() == [0, 1, 0, 1]
    make_tree("US/cover.png")
    with pytest.raises(DataError, match="classes China, US do not say which one is sick"):
        load_manifest(folder)


def test_a_tuberculosis_set_sorted_into_folders_keeps_the_folders(make_tree):
    manifest = load_manifest(make_tree("normal/MCUCXR_0001_0.png", "tb/MCUCXR_0104_1.png"))
    assert manifest.classes == ("normal", "tb")


def test_the_mendeley_release_of_the_kermany_set_tells_patients_and_subtypes(make_tree):
    names = (
        "NORMAL/NORMAL-1003233-0001.jpeg",
        "PNEUMONIA/BACTERIA-1008087-0001.jpeg",
        "PNEUMONIA/VIRUS-1008088-0002.jpeg",
    )
    manifest = load_manifest(make_tree(*names))
    assert manifest.table["patient_id"].tolist() == ["1003233", "1008087", "1008088"]
    assert manifest.table["subtype"].tolist() == ["", "bacterial", "viral"]


@pytest.mark.parametrize(
    ("names", "patients"),
    [
        (("a/00000013_005.png", "b/00000014_000.png"), ["00000013", "00000014"]),
        (("a/patient00012/study1/v.png", "b/patient00013/study2/v.png"), ["patient00012", "patient00013"]),
        (("a/p10/p10000032/s50414267/x.png", "b/p11/p11000032/s5/x.png"), ["p10000032", "p11000032"]),
        (("a/IMG_0001.png", "b/2019_001.png"), ["", ""]),
    ],
)
def test_paths_of_public_sets_tell_the_patient(make_tree, names, patients):
    assert load_manifest(make_tree(*names), positive="b").table["patient_id"].tolist() == patients


AWKWARD = (
    "no\u00a0break.png",
    "wide\u3000blank.png",
    "zero\u200cwidth.png",
    "narrow\u202fPM.png",
    "bom\ufeff.png",
    " blanks at the ends .png",
    "line\u2028separator.png",
    'quote",comma;.png',
    "#hash%20&?*.png",
    "x" * 251 + ".png",
    "é" * 125 + ".png",
)


def test_awkward_names_are_used_and_survive_the_split_file(make_tree, write_image, tmp_path):
    folder = make_tree(*CLASSES)
    twins = {unicodedata.normalize(form, "é.png") for form in ("NFC", "NFD")}
    for seed, name in enumerate([*AWKWARD, *twins]):
        write_image(folder / "t.png", seed=20 + seed)
        (folder / "t.png").rename(folder / "NORMAL" / name)
    manifest = load_manifest(folder)
    assert len(manifest) == len(CLASSES) + len(AWKWARD) + 2 and not manifest.skipped
    assert as_split(manifest, tmp_path / "split.csv").table["path"].tolist() == manifest.table["path"].tolist()


def test_names_that_no_table_can_hold_are_named_and_stop_nothing(make_tree):
    folder = make_tree(*CLASSES)
    for name in (b"\xff\xfe.png", b"caf\xe9.png", b"line\nbreak.png", b"tab\t.png"):
        os.link(folder / CLASSES[0], os.fsencode(folder / "NORMAL") + b"/" + name)
    manifest = load_manifest(folder)
    assert len(manifest) == 4 and len(manifest.skipped) == 4
    assert all(item.path.isascii() and item.path.isprintable() for item in manifest.skipped)


def test_class_names_that_look_the_same_are_one_class(make_tree):
    names = [f"{part}/{label}/{part}.png" for part, label in (("train", "Neumoni\u0301a"), ("test", "Neumon\u00eda"))]
    manifest = load_manifest(make_tree(*names, "train/Normal/x.png", "test/Normal\u00a0/y.png"))
    assert len(manifest.classes) == 2 and len(manifest) == 4


def test_links_bring_in_no_image_of_another_class(make_tree):
    folder = make_tree(*CLASSES)
    os.symlink(folder / "PNEUMONIA", folder / "NORMAL" / "folder")
    os.symlink(folder / "PNEUMONIA" / "c.png", folder / "NORMAL" / "file.png")
    os.symlink(folder / "NORMAL" / "a.png", folder / "NORMAL" / "again.png")
    os.symlink(folder, folder / "NORMAL" / "loop")
    os.symlink("self", folder / "NORMAL" / "self")
    manifest = load_manifest(folder)
    assert manifest.table["path"].tolist() == list(CLASSES)
    assert {item.path for item in manifest.ignored} == {
        f"NORMAL/{name}" for name in ("folder", "file.png", "again.png", "loop")
    }
    assert [item.path for item in manifest.skipped] == ["NORMAL/self"]


def test_linked_folders_outside_are_followed_once(make_tree, write_image, tmp_path):
    folder = make_tree(*(f"set/{name}" for name in CLASSES)) / "set"
    for n in range(2):
        write_image(tmp_path / "store" / f"{n}.png", seed=50 + n)
    os.symlink(tmp_path / "store", tmp_path / "store" / "back")
    for name in ("one", "two"):
        os.symlink(tmp_path / "store", folder / "NORMAL" / name)
    manifest = load_manifest(folder)
    assert [path for path in manifest.table["path"] if "one" in path or "two" in path] == [
        "NORMAL/one/0.png",
        "NORMAL/one/1.png",
    ]
    assert {item.path for item in manifest.ignored} == {"NORMAL/two", "NORMAL/one/back"}


def test_a_dataset_of_links_is_a_dataset(make_tree, tmp_path):
    make_tree(*(f"store/{name}" for name in CLASSES))
    (tmp_path / "set").mkdir()
    for name in ("NORMAL", "PNEUMONIA"):
        os.symlink(tmp_path / "store" / name, tmp_path / "set" / name)
    assert load_manifest(tmp_path / "set").table["path"].tolist() == list(CLASSES)


def test_a_link_to_a_class_or_to_the_dataset_is_counted_once_and_named(make_tree, tmp_path):
    make_tree(*(f"chest/{name}" for name in CLASSES))
    os.symlink(tmp_path / "chest", tmp_path / "latest")
    os.symlink(tmp_path, tmp_path / "loop")
    os.symlink(tmp_path / "chest" / "PNEUMONIA", tmp_path / "chest" / "LUNG")
    manifest = load_manifest(tmp_path)
    assert manifest.classes == ("NORMAL", "PNEUMONIA") and len(manifest) == 4
    assert {os.path.basename(item.path) for item in manifest.ignored} == {"latest", "loop", "LUNG"}


def test_two_splits_that_are_one_folder_are_refused(make_tree):
    folder = make_tree(*(f"train/{name}" for name in CLASSES), "val/NORMAL/x.png")
    os.symlink(folder / "train" / "PNEUMONIA", folder / "val" / "PNEUMONIA")
    with pytest.raises(DataError, match="are one folder: one is a link"):
        load_manifest(folder)


def test_a_subfolder_that_cannot_be_read_is_named(make_tree, monkeypatch):
    folder = make_tree(*CLASSES, "NORMAL/closed/x.png")
    scan = os.scandir

    def guarded(path):
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", guarded)
    manifest = load_manifest(folder)
    assert [(item.path, item.reason) for item in manifest.skipped] == [
        ("NORMAL/closed", "the folder cannot be read: Permission denied")
    ]


def test_a_class_folder_whose_name_is_not_utf8_is_named_with_what_it_holds(make_tree):
    folder = make_tree(*CLASSES)
    strange = os.fsencode(folder) + b"/\xff\xfe"
    os.mkdir(strange)
    os.link(folder / CLASSES[0], strange + b"/a.png")
    with pytest.raises(
        DataError, match=r"xff.xfe holds no readable image \(1 files, .*control characters or is not UTF-8"
    ):
        load_manifest(folder)


def test_a_folder_that_two_classes_link_to_is_counted_in_one(make_tree, tmp_path_factory, write_image):
    folder, elsewhere = make_tree(*CLASSES), tmp_path_factory.mktemp("elsewhere")
    write_image(elsewhere / "e.png", seed=9)
    for label in ("NORMAL", "PNEUMONIA"):
        (folder / label / "more").symlink_to(elsewhere, target_is_directory=True)
    manifest = load_manifest(folder)
    assert len(manifest) == 5
    assert [(item.path, item.reason) for item in manifest.ignored] == [
        ("PNEUMONIA/more", f"a second link to {elsewhere}")
    ]


def test_texts_among_images_are_counted_in_one_line_and_are_not_skipped(make_tree):
    folder = make_tree(*CLASSES)
    for name in ("NORMAL/README.md", "NORMAL/a.txt", "PNEUMONIA/labels.csv"):
        (folder / name).write_text("text")
    os.link(folder / CLASSES[0], folder / "NORMAL" / "picture.txt")
    manifest = load_manifest(folder)
    assert len(manifest) == 5 and manifest.skipped == ()
    assert [item.reason for item in manifest.ignored] == ["3 texts are left out, such as README.md"]
