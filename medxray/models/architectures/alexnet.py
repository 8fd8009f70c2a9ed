"""AlexNet in the version of "One weird trick"."""

from medxray.models.architectures.row import Architecture


def alexnet(tensor):
    """AlexNet's five convolutions, as torchvision has them: (N,H,W,3) preprocessed -> (N,6,6,256) at 224 x 224.

    There is no local response normalisation and no split into two groups. The network is all convolutions and takes
    other sizes too: the head of a classifier averages the 6x6 cells to 256 features, in place of the three dense layers
    on the flattened 9,216, which hold 96 % of the published network's 61 million weights and one size of images.
    """
    from keras import layers

    tensor = layers.ZeroPadding2D(2, name="conv1_pad")(tensor)
    tensor = layers.Conv2D(64, 11, strides=4, activation="relu", name="conv1")(tensor)
    tensor = layers.MaxPooling2D(3, strides=2, name="pool1")(tensor)
    tensor = layers.Conv2D(192, 5, padding="same", activation="relu", name="conv2")(tensor)
    tensor = layers.MaxPooling2D(3, strides=2, name="pool2")(tensor)
    for name, filters in (("conv3", 384), ("conv4", 256), ("conv5", 256)):
        tensor = layers.Conv2D(filters, 3, padding="same", activation="relu", name=name)(tensor)
    return layers.MaxPooling2D(3, strides=2, name="pool5")(tensor)


ALEXNET = Architecture(
    name="alexnet",
    builder=alexnet,
    stages=("pool1", "pool2", "conv3", "conv4", "pool5"),
    heat_layer="conv5",
    preprocessing="torch",
    paper="Krizhevsky (2014), One weird trick for parallelizing convolutional neural networks, arXiv:1404.5997; "
    "after Krizhevsky et al. (2012)",
    minimum_size=63,
)
