"""The tasks and the classes that they have. No TensorFlow and no pandas."""

from medxray.data.layouts import kermany

TASK_CLASSES = {  # in order; of two classes the positive one is last
    "pneumonia": (kermany.NORMAL, kermany.PNEUMONIA),
    "pneumonia-subtype": (kermany.NORMAL, "BACTERIAL", "VIRAL"),
}
TASKS = (*TASK_CLASSES, "folders")  # "folders": the classes are the labels that are found
