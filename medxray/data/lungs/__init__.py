"""Where the lungs lie in a chest X-ray, found by brightness and form. No TensorFlow."""
