"""Words that options of detectors choose from, defaults and limits: for the configuration and what it configures."""

LOSSES = ("mse", "ssim", "mix")  # of the autoencoder
AUTOENCODER_MINIMUM = 32  # smallest height and width of its input in pixels
IMAGE_SCORES = ("mean", "max")  # of an anomaly map
PATCH_SCALES = ("none", "unit")
DIMENSIONS = 100  # channels that PaDiM keeps
SHARE = 0.01  # of the patches, which PatchCore keeps
