"""Files of named tensors that other programs write: PyTorch's two formats and safetensors. Nothing in them is executed.

No module here imports TensorFlow, torch or pickle.
"""
