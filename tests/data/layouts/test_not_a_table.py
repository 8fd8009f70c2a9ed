"""Files that are no dataset get a message about what they are."""

import gzip
import io
import os
import tarfile
import zipfile

import cv2
import numpy as np
import pytest

from medxray.data.layouts.sources import load_manifest
from medxray.errors import DataError


def zipped(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, "x")
    return out.getvalue()


def arrays():
    out = io.BytesIO()
    np.savez(out, x=np.zeros(3), y=np.zeros(3))
    return out.getvalue()


def tarred():
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("x.png"))
    return out.getvalue()


PICTURE = np.random.default_rng(0).integers(0, 256, (20, 20), dtype=np.uint8)


NO_TABLES = [
    ("chest.zip", zipped("chest/NORMAL/a.png"), "is a zip archive, .*unpack it, and pass the folder"),
    ("chest", zipped("chest/NORMAL/a.png"), "is a zip archive"),
    ("t.xlsx", zipped("xl/workbook.xml"), "is an Excel workbook, .*sheet saved as CSV"),
    ("t.ods", zipped("content.xml", "mimetype"), "is a workbook"),
    ("t.xls", b"\xd0\xcf\x11\xe0" + b"\0" * 600, "is an old Excel workbook"),
    ("arrays", arrays(), "is a NumPy archive of arrays, .*write its images as PNG"),
    ("x.npy", b"\x93NUMPY\x01\0", "is a NumPy array"),
    ("c.tar", tarred(), "is an archive"),
    ("c.tar.gz", gzip.compress(tarred(), mtime=0), "is an archive"),
    ("x.dcm.gz", gzip.compress(b"DICM", mtime=0), "is a file compressed with gzip"),
    ("c.7z", b"7z\xbc\xaf\x27\x1c\0", "is an archive"),
    ("c.rar", b"Rar!\x1a\x07\0", "is an archive"),
    ("x.h5", b"\x89HDF\r\n", "is a binary table"),
    ("empty.zip", b"", "is an archive or a file of arrays"),
    ("x.mat", b"MATLAB 5.0 MAT-file", "is an archive or a file of arrays"),
    ("x.sqlite", b"SQLite format 3\0" + bytes(80), "is a binary table"),
    ("x.feather", b"ARROW1\0\0" + bytes(80), "is a binary table, .*write it as CSV"),
    ("x.pkl", b"\x80\x04\x95" + bytes(80), "is a pickle, which is never loaded"),
    ("x.pdf", b"%PDF-1.4\n", "is a PDF file, .*pass a folder of images, one folder per class"),
    ("x.xml", b'<?xml version="1.0"?><a/>', "is an XML file"),
    ("x.mp4", b"\0\0\0\x18ftypmp42" + bytes(80), "is a film"),
    ("x.tar.zst", b"\x28\xb5\x2f\xfd" + bytes(80), "is an archive"),
    ("x.bin", b"\1\2\3" + bytes(80), "its first line holds binary data"),
    ("t.csv", b"\n <!DOCTYPE html>\n<html>404</html>", "is a web page, .*download the table again"),
    ("u.csv", b"version https://git-lfs.github.com/spec/v1\n", "is a Git LFS pointer, .*git lfs pull"),
    ("t.json", b'[{"path": "a.png"}]', "is a JSON file, .*write it as CSV"),
    ("i.csv", cv2.imencode(".png", PICTURE)[1].tobytes(), "is a single image"),
    ("a.png", cv2.imencode(".png", PICTURE)[1].tobytes(), "is a single image, .*medxray predict"),
    ("a.JPG", cv2.imencode(".jpg", PICTURE)[1].tobytes(), "is a single image"),
    ("IM0001", b"\0" * 128 + b"DICM" + b"\0" * 50, "is a single image"),
]


@pytest.mark.parametrize(("name", "content", "message"), NO_TABLES, ids=[name for name, *_ in NO_TABLES])
def test_a_file_that_is_no_table_is_named_as_what_it_is(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=message):
        load_manifest(tmp_path / name)


@pytest.mark.parametrize("name", ["labels.csv", "labels", "labels.dat", "PKlabels.csv"])
def test_a_table_is_a_table_whatever_its_name(make_tree, name):
    folder = make_tree("a.png", "b.png")
    (folder / name).write_text("PKfile,finding\na.png,NORMAL\nb.png,PNEUMONIA\n")
    assert len(load_manifest(folder / name, path_col="PKfile", label_col="finding")) == 2


def no_place(tmp_path, kind):
    path = tmp_path / "there"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "loop":
        os.symlink("there", path)
    elif kind == "dangling":
        os.symlink(tmp_path / "gone", path)
    elif kind == "through a file":
        path.write_text("x")
        return path / "NORMAL"
    return {"long": "x" * 5000, "table": "gone.csv", "address": "https://example.org/x.zip", "device": "/dev/null"}.get(
        kind, path
    )


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("pipe", "there is a pipe, a socket or a device. Pass a folder"),
        ("device", "/dev/null is a pipe, a socket or a device"),
        ("loop", "there is a link to there, where nothing is"),
        ("dangling", "there is a link to .*gone, where nothing is"),
        ("through a file", r"goes through a file, which is no folder"),
        ("long", r"x\.\.\. \(5000 characters\) is longer than the name of a file may be"),
        ("table", "gone.csv does not exist. Pass a folder with one folder per class, a CSV or a MedMNIST file"),
        ("address", "is a web address; download what is there"),
    ],
)
def test_a_path_to_no_folder_and_no_file_says_what_it_is(tmp_path, kind, message):
    with pytest.raises(DataError, match=message) as caught:
        load_manifest(no_place(tmp_path, kind))
    assert len(str(caught.value)) < 400
