"""How an image may be brought to the size of a model's input. No TensorFlow."""

RESIZES = ("letterbox", "stretch")  # keep the aspect ratio with black bars, or not
