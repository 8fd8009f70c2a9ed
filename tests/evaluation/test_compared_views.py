"""The sample of validation images that a second operating point is fitted on."""

import numpy as np

from medxray.evaluation.compared_views import rows_to_compare


def test_patients_are_kept_whole_in_the_proportions_of_the_classes(make_predictions):
    y_true = np.repeat(np.arange(300) % 4 == 0, 2).astype(int)  # 300 patients of two images, a quarter ill
    patients = np.repeat(np.arange(300), 2)
    validation = make_predictions(y_true, np.zeros((600, 2)), patients=patients)
    rows = rows_to_compare(validation, most=401)
    assert len(rows) == 400 and (np.diff(rows) > 0).all()
    assert (np.unique(patients[rows], return_counts=True)[1] == 2).all()
    assert 95 <= y_true[rows].sum() <= 105
    np.testing.assert_array_equal(rows, rows_to_compare(validation, most=401))
    np.testing.assert_array_equal(rows_to_compare(validation, most=600), np.arange(600))


def test_too_few_images_of_a_class_give_no_rows(make_predictions):
    y_true = (np.arange(300) < 40).astype(int)
    assert len(rows_to_compare(make_predictions(y_true, np.zeros((300, 2))))) == 0
    assert len(rows_to_compare(make_predictions(np.arange(200) % 2, np.zeros((200, 2))), most=60)) == 0
