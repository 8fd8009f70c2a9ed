import pytest
from PIL import Image

from medxray.cli.data_report import report_lines
from medxray.data.audit.findings import audit
from medxray.data.layouts.sources import load_manifest
from medxray.errors import DataError

NAMES = [f"train/NORMAL/IM-{n:04d}-0001.jpeg" for n in range(6)]
NAMES += [f"train/PNEUMONIA/person{n}_bacteria_{n}.jpeg" for n in range(6)]
NAMES += ["test/NORMAL/IM-0000-0002.jpeg", "test/PNEUMONIA/person1_virus_77.jpeg"]


@pytest.fixture
def damaged(make_tree, write_image):
    """A tree with a truncated JPEG, a text file named .png, and a large picture."""
    folder = make_tree(*NAMES)
    write_image(folder / "train/NORMAL/IM-0007-0001.jpeg", shape=(60, 90))
    content = (folder / "train/NORMAL/IM-0007-0001.jpeg").read_bytes()
    (folder / "train/NORMAL/IM-0008-0001.jpeg").write_bytes(content[: len(content) // 2])
    (folder / "train/PNEUMONIA/notes.png").write_text("text")
    return folder


def test_audit_reports_counts_sizes_patients_and_what_cannot_be_read(damaged):
    facts = audit(load_manifest(damaged)).to_dict()
    assert (facts["images"], facts["patients"]) == (15, 13)
    assert facts["patient_ids_known"] and facts["images_without_patient_id"] == 0
    assert facts["subtypes"] == {"bacterial": 6, "viral": 1}
    assert {(cell["split"], cell["label"]): cell["images"] for cell in facts["counts"]} == {
        ("train", "NORMAL"): 7,
        ("train", "PNEUMONIA"): 6,
        ("test", "NORMAL"): 1,
        ("test", "PNEUMONIA"): 1,
    }
    assert facts["formats"] == {"JPEG, 8 bits, 1 channel": 15}
    assert facts["sizes"]["width"] == {"min": 16.0, "median": 16.0, "max": 90.0}
    assert facts["sizes"]["height"] == {"min": 12.0, "median": 12.0, "max": 60.0}
    assert facts["sizes"]["aspect"]["max"] == 1.5
    reasons = {item["path"].rsplit("/")[-1]: item["reason"] for item in facts["skipped"]}
    assert reasons["notes.png"] == "not an image (PNG, JPEG, BMP, TIFF, DICOM, WebP, GIF, JPEG 2000 or AVIF)"
    assert "truncated or damaged" in reasons["IM-0008-0001.jpeg"]
    assert facts["patients_in_two_splits"] == [
        {"patient_id": "IM-0000", "splits": "train+test", "images": 2, "kind": "certain"},
        {"patient_id": "person1", "splits": "train+test", "images": 2, "kind": "possible"},
    ]


def test_strict_stops_at_the_first_bad_header_and_at_the_first_bad_body(damaged):
    with pytest.raises(DataError, match="notes.png cannot be read: not an image .*leave out --strict"):
        audit(load_manifest(damaged), strict=True)
    (damaged / "train/PNEUMONIA/notes.png").unlink()
    with pytest.raises(DataError, match="IM-0008-0001.jpeg cannot be read: the image data is truncated"):
        audit(load_manifest(damaged), strict=True)
    (damaged / "train/NORMAL/IM-0008-0001.jpeg").unlink()
    assert len(audit(load_manifest(damaged), strict=True).manifest) == 15


def test_nothing_readable_is_an_error(make_tree):
    folder = make_tree("NORMAL/a.jpeg", "PNEUMONIA/b.jpeg")
    for name in ("NORMAL/a.jpeg", "PNEUMONIA/b.jpeg"):
        (folder / name).write_bytes((folder / name).read_bytes()[:-60])
    with pytest.raises(DataError, match="None of the 2 images can be read. The first: NORMAL/a.jpeg: "):
        audit(load_manifest(folder))


def test_phantoms_have_no_defects(phantoms):
    findings = audit(load_manifest(phantoms))
    facts = findings.to_dict()
    assert facts["skipped"] == [] and [item["path"] for item in facts["ignored"]] == [str(phantoms / "masks")]
    assert facts["patients"] == 30
    assert facts["duplicates"]["groups"] == 0
    assert facts["near_duplicates"]["across_patients"] == 0  # two exposures of one patient may look alike at 64 pixels


def test_orientation_tags_are_counted(make_tree):
    folder = make_tree(*NAMES)
    for name in NAMES[:2]:
        tag = Image.Exif()
        tag[274] = 6
        Image.open(folder / name).save(folder / name, exif=tag.tobytes())
    found = audit(load_manifest(folder))
    assert found.to_dict()["orientation_tags"] == 2
    assert "Turned?        2 with an orientation tag, which is not applied" in report_lines(found)
    assert not any("Turned?" in line for line in report_lines(audit(load_manifest(make_tree(*NAMES)))))
