"""What is trained in each mode, and the defaults that depend on it. No TensorFlow."""

ADAMW_DECAY = 1e-4  # weight decay of AdamW, where nothing is given
_USUAL = {
    "augment": "standard",
    "head_units": 256,
    "head_norm": True,
    "dropout": 0.5,
    "l2": 1e-4,
    "optimizer": "adam",
    "weight_decay": 0.0,
    "label_smoothing": 0.0,
    "warm_up": 0.05,
}
UNCACHED_HEAD_EPOCHS = 2  # without cached views each of them is a pass through the frozen layers
_HEAD_STAGE = {"head_epochs": 10, "head_learning_rate": 1e-3}
_PRETRAINED = {**_USUAL, **_HEAD_STAGE, "views": 2, "learning_rate": 1e-4, "epochs": 10, "unfreeze_to": None}
MODES = {  # an option that only some of them have belongs to those alone
    "extract": {**_USUAL, "views": 2, "learning_rate": 1e-3, "epochs": 30},
    "finetune": _PRETRAINED,
    "progressive": {**_PRETRAINED, "epochs": 4, "stage_epochs": None, "stage_learning_rates": None, "train_bn": None},
    "full": {
        "views": 0,
        "learning_rate": 5e-4,
        "epochs": 6,
        "augment": "robust",
        "head_units": 0,
        "head_norm": False,
        "dropout": 0.3,
        "l2": 0.0,
        "optimizer": "adamw",
        "weight_decay": ADAMW_DECAY,
        "label_smoothing": 0.05,
        "warm_up": 0.1,
        "train_bn": None,
    },
    "scratch": {**_USUAL, "views": 0, "learning_rate": 1e-3, "epochs": 10},
}
