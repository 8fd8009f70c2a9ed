"""An architecture as somebody would add it: one row and one function."""

from medxray.models.architectures.row import Architecture


def dummy(tensor):
    """Two convolutions: (N,H,W,3) preprocessed -> (N,H/4,W/4,16)."""
    from keras import layers

    for block, filters in (("first", 8), ("second", 16)):
        tensor = layers.Conv2D(filters, 3, padding="same", activation="relu", name=f"{block}_conv")(tensor)
        tensor = layers.MaxPooling2D(name=f"{block}_pool")(tensor)
    return tensor


ROW = Architecture(
    name="dummy",
    builder=dummy,
    stages=("first_pool", "second_pool"),
    heat_layer="second_conv",
    preprocessing="torch",
    paper="none",
    minimum_size=8,
    default_size=32,
)
