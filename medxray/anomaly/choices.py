"""Words that options of detectors choose from, and limits; read by the configuration and by what it configures."""

LOSSES = ("mse", "ssim", "mix")  # of the autoencoder
AUTOENCODER_MINIMUM = 32  # smallest height and width of its input in pixels
IMAGE_SCORES = ("mean", "max")  # of an anomaly map
PATCH_SCALES = ("none", "unit")
