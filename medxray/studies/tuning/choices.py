"""What a search may look at, and on which images. No TensorFlow, nothing heavy."""

from dataclasses import dataclass

CLEAN, SHIFTED, CLUSTERS = "clean", "shifted", "clusters"
JUDGED_ON = {
    CLEAN: "validation images as they are",
    SHIFTED: "one view of each group of shifts of validation images",
    CLUSTERS: "validation images of kinds that training does not see",
}


@dataclass(frozen=True)
class Objective:
    """A figure that a search looks at.

    Attributes:
        name: in the record.
        words: in texts.
        maximize: whether the highest value is the best.
        epoch_figure: the same figure of unchanged validation images in the values of an epoch.
    """

    name: str
    words: str
    maximize: bool
    epoch_figure: str


OBJECTIVES = {
    one.name: one for one in (Objective("auroc", "AUROC", True, "val_auroc"), Objective("nll", "NLL", False, "val_nll"))
}
