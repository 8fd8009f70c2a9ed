import os

import pytest

from medxray.data.layouts.public_releases import labelling_tables, options_for
from medxray.data.layouts.sources import load_manifest
from medxray.errors import DataError


@pytest.mark.parametrize(
    ("header", "options"),
    [
        (
            "Image Index,Finding Labels,Patient ID",
            "'Image Index' --label-col 'Finding Labels' --patient-col 'Patient ID'",
        ),
        ("patientId,x,Target", "patientId --label-col Target --patient-col patientId"),
        ("patientid,finding,folder,filename", "filename --label-col finding --patient-col patientid"),
        (",ImageID,PatientID,Labels", "ImageID --label-col Labels --patient-col PatientID --positive-finding NAME"),
        ("image_id,class_name,rad_id", "image_id --label-col class_name --positive-finding NAME"),
    ],
)
def test_the_options_of_a_table_are_suggested_by_its_columns(tmp_path, header, options):
    (tmp_path / "t.csv").write_text(header + "\n")
    (tmp_path / "notes.csv").write_text("age,sex\n")
    assert f"--path-col {options}" in options_for(tmp_path / "t.csv")
    assert labelling_tables(tmp_path) == [tmp_path / "t.csv"]


def test_a_pipe_called_as_a_table_is_not_waited_for(make_tree):
    folder = make_tree("images_001/a.png", "images_002/b.png")
    os.mkfifo(folder / "labels.csv")
    with pytest.raises(DataError, match="What each image shows stands in a CSV of the release, which is not here"):
        load_manifest(folder)
