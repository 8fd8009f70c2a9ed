"""How far the answers of a model hang on what is no lung: borders, markers, image size."""
