"""Batch normalisation in inference mode folded into the convolution before it: the same function in less time.

conv(x, kernel) * s + t = conv(x, kernel * s) + t, where s and t follow from scale, offset and statistics. Scaling the
kernel takes next to nothing; scaling and shifting the activations takes a pass through memory each, forwards and
backwards. The weights stay where they are, so gradients reach the kernel as they did.

Source: Jacob et al. (2018), Quantization and training of neural networks, arXiv:1712.05877, section 3.2.
"""

import keras
import tensorflow as tf
from keras import ops

_CONVOLUTIONS = (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)


def folded(model, *, training):
    """The same flat graph, in which each convolution takes over a batch normalisation that alone follows it.

    Args:
        model: keras.Model, flat.
        training: True folds only layers that are frozen; False all of them, for inference.

    Returns:
        keras.Model that shares layers and weights; `model` itself where there is nothing to fold. A convolution that
        computes in another precision when a function is traced does so here too.
    """
    pairs = _pairs(model, training)
    if not pairs:
        return model
    taken_over = {convolution for convolution in pairs.values()}

    def call(layer, *inputs, **options):
        if layer in taken_over:
            return inputs[0]  # its partner does the work
        if layer in pairs:
            return _FoldedConvolution(pairs[layer], layer)(*inputs)
        return layer(*inputs, **options)

    return keras.models.clone_model(model, clone_function=lambda layer: layer, call_function=call)


def _pairs(model, training):
    """Dict of each BatchNormalization that can be folded -> the convolution before it."""
    followers = {id(tensor): {None} for tensor in model.outputs}  # who asks for a tensor
    for layer in model.layers:
        for node in layer._inbound_nodes:
            for tensor in node.input_tensors:
                followers.setdefault(id(tensor), set()).add(layer)
    return {
        partner: layer
        for layer in model.layers
        if type(layer) in _CONVOLUTIONS and _plain(layer)
        for partner in _only(followers.get(id(layer.output), ()))
        if isinstance(partner, keras.layers.BatchNormalization) and not (training and partner.trainable)
    }


def _plain(convolution):
    """Whether a convolution is nothing but that, applied once, on channels that come last."""
    linear = convolution.activation is keras.activations.linear
    return linear and len(convolution._inbound_nodes) == 1 and convolution.data_format == "channels_last"


def _only(layers):
    return layers if len(layers) == 1 else ()


class _FoldedConvolution(keras.layers.Layer):
    """A convolution with the normalisation behind it; it lives in memory only and is never saved.

    Args:
        convolution: Conv2D or DepthwiseConv2D.
        normalization: BatchNormalization on the last axis.
    """

    def __init__(self, convolution, normalization):
        super().__init__(autocast=False)
        self._convolution, self._normalization = convolution, normalization
        self.built = True

    def call(self, inputs):
        convolution, (scale, offset) = self._convolution, self._scale_and_offset()
        dtype = convolution.compute_dtype
        if convolution.use_bias:
            offset = offset + convolution.bias * scale
        depthwise = isinstance(convolution, keras.layers.DepthwiseConv2D)
        kernel = convolution.kernel * (scale[:, None] if depthwise else scale)
        operation = ops.depthwise_conv if depthwise else ops.conv
        outputs = operation(
            ops.cast(inputs, dtype),
            ops.cast(kernel, dtype),
            strides=convolution.strides,
            padding=convolution.padding,
            dilation_rate=convolution.dilation_rate,
        )
        return tf.nn.bias_add(outputs, ops.cast(offset, dtype))

    def _scale_and_offset(self):
        layer = self._normalization
        scale = ops.rsqrt(layer.moving_variance + layer.epsilon)
        scale = scale * layer.gamma if layer.scale else scale
        offset = -layer.moving_mean * scale
        return scale, offset + layer.beta if layer.center else offset

    def compute_output_shape(self, inputs_shape):
        """The shape that the convolution gives."""
        return self._convolution.compute_output_shape(inputs_shape)
