"""The tasks and the classes that they have. No TensorFlow and no pandas."""

NORMAL, PNEUMONIA = "NORMAL", "PNEUMONIA"
TASK_CLASSES = {  # in order; of two classes the positive one is last
    "pneumonia": (NORMAL, PNEUMONIA),
    "pneumonia-subtype": (NORMAL, "BACTERIAL", "VIRAL"),
}
TASKS = (*TASK_CLASSES, "folders")  # "folders": the classes are the labels that are found
