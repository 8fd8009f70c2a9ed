"""Backbones of keras.applications, inlined into the caller's graph without top and without weights."""

import keras


def vgg16(tensor):
    """VGG16's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,512)."""
    return keras.applications.VGG16(include_top=False, weights=None, input_tensor=tensor).output


def vgg19(tensor):
    """VGG19's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,512)."""
    return keras.applications.VGG19(include_top=False, weights=None, input_tensor=tensor).output


def resnet50(tensor):
    """ResNet50's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,2048)."""
    return keras.applications.ResNet50(include_top=False, weights=None, input_tensor=tensor).output


def densenet121(tensor):
    """DenseNet121's convolutions: (N,H,W,3) preprocessed -> (N,H/32,W/32,1024)."""
    return keras.applications.DenseNet121(include_top=False, weights=None, input_tensor=tensor).output
