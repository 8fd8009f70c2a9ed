"""The table of explanation methods: one row each. Importing it costs nothing; TensorFlow starts when a row builds.

What a row builds is a function that is made of TensorFlow operations and is called with images, float32 (N,H,W,C),
0-255, and `targets_of`, a function from logits (N,K) to the class to explain in each image, int32 (N,). It returns
`maps.Explained`: maps float32 (N,h,w), 0-1, at the resolution of the layer or, without one, of the method; the logits;
and the pooled features, from which the gate judges the images.
"""

from medxray.errors import ConfigError
from medxray.explain.method import COMPILED, ENGINES, TF_KERAS_VIS, Method, MethodOption
from medxray.system.spelling import did_you_mean

__all__ = [
    "COMPILED",
    "ENGINES",
    "EXPORTED",
    "GRADCAM",
    "METHODS",
    "OCCLUSION",
    "TF_KERAS_VIS",
    "Method",
    "MethodOption",
]

GRADCAM, OCCLUSION = "gradcam", "occlusion"


def _gradcam(model, layer):
    from medxray.explain.gradcam import gradcam_graph

    return gradcam_graph(model, layer)


def _gradcam_by_tf_keras_vis(model, layer):
    from medxray.explain.keras_vis import gradcam_function

    return gradcam_function(model, layer)


def _gradcam_plus_plus(model, layer):
    from medxray.explain.gradcam_plus_plus import gradcam_plus_plus_graph

    return gradcam_plus_plus_graph(model, layer)


def _layercam(model, layer):
    from medxray.explain.layercam import layercam_graph

    return layercam_graph(model, layer)


def _scorecam(model, layer, **options):
    from medxray.explain.scorecam import scorecam_graph

    return scorecam_graph(model, layer, **options)


def _cam(model, layer):
    from medxray.explain.cam import cam_graph

    return cam_graph(model, layer)


def _occlusion(model, layer, **options):
    from medxray.explain.occlusion import occlusion_graph

    return occlusion_graph(model, layer, **options)


def _saliency(model, layer):
    from medxray.explain.saliency import saliency_graph

    return saliency_graph(model, layer)


def _smoothgrad(model, layer, **options):
    from medxray.explain.smoothgrad import smoothgrad_graph

    return smoothgrad_graph(model, layer, **options)


def _integrated_gradients(model, layer, **options):
    from medxray.explain.integrated_gradients import integrated_gradients_graph

    return integrated_gradients_graph(model, layer, **options)


def _rise(model, layer, **options):
    from medxray.explain.rise import rise_graph

    return rise_graph(model, layer, **options)


_ROWS = (
    Method(
        name=GRADCAM,
        title="Grad-CAM",
        about="where a layer's activations, weighted by the gradient of the class, speak for it",
        source="Selvaraju et al. (2017), Grad-CAM, eq. 1 and 2",
        passes="a backward pass to the layer",
        needs_layer=True,
        build=_gradcam,
        exported=True,
        reference=_gradcam_by_tf_keras_vis,
    ),
    Method(
        name="gradcam++",
        title="Grad-CAM++",
        about="the same with weights from the places where more of an activation speaks for the class",
        source="Chattopadhyay et al. (2018), Grad-CAM++, methodology",
        passes="a backward pass to the layer",
        needs_layer=True,
        build=_gradcam_plus_plus,
        exported=True,
    ),
    Method(
        name="layercam",
        title="LayerCAM",
        about="each activation weighted by its own gradient; for early layers too",
        source="Jiang et al. (2021), LayerCAM, methodology",
        passes="a backward pass to the layer",
        needs_layer=True,
        build=_layercam,
        exported=True,
    ),
    Method(
        name="scorecam",
        title="Score-CAM",
        about="a layer's channels, weighted by the score of the image seen through each of them",
        source="Wang et al. (2020), Score-CAM, channel-wise increase of confidence",
        passes="a forward pass for each channel",
        needs_layer=True,
        build=_scorecam,
        exported=True,
        options=(MethodOption("channels", 0, "how many channels, those that vary most; 0: all", low=0),),
    ),
    Method(
        name="cam",
        title="CAM",
        about="what each cell adds to the score, exactly; for models with --head-units 0",
        source="Zhou et al. (2016), class activation maps, eq. 1 and 2",
        needs_layer=False,
        build=_cam,
        exported=True,
    ),
    Method(
        name=OCCLUSION,
        title="Occlusion",
        about="how far the score falls when a patch is covered",
        source="Zeiler and Fergus (2014), section 4.2",
        passes="a forward pass for each patch",
        needs_layer=False,
        build=_occlusion,
        exported=True,
        options=(
            MethodOption("patch", 32, "side of the smallest patch, pixels", low=1),
            MethodOption("stride", 16, "from one patch to the next, pixels", low=1),
            MethodOption("fill", "blur", "what covers", choices=("mean", "zero", "blur")),
            MethodOption("coarse", 0, "1: few patches first, then those near the high ones", low=0, high=1),
            MethodOption("sizes", 2, "sizes of patches, each half of patch wider than the one before", low=1, high=4),
        ),
    ),
    Method(
        name="saliency",
        title="Saliency",
        about="how much the score changes with each pixel",
        source="Simonyan et al. (2014), section 3.1",
        passes="a backward pass",
        needs_layer=False,
        build=_saliency,
    ),
    Method(
        name="smoothgrad",
        title="SmoothGrad",
        about="the mean of that over noisy copies of the image",
        source="Smilkov et al. (2017), SmoothGrad",
        passes="a forward and a backward pass for each sample",
        needs_layer=False,
        build=_smoothgrad,
        options=(
            MethodOption("samples", 16, "noisy copies", low=1),
            MethodOption("noise", 0.1, "standard deviation, share of the image's range", low=0, high=1),
            MethodOption("seed", 0, "of the noise", low=0),
        ),
    ),
    Method(
        name="integrated-gradients",
        title="Integrated gradients",
        about="what each pixel adds to the score on the way from a black image",
        source="Sundararajan et al. (2017), eq. 1 and 3",
        passes="a forward and a backward pass for each step",
        needs_layer=False,
        build=_integrated_gradients,
        options=(MethodOption("steps", 32, "pieces of the way", low=1),),
    ),
    Method(
        name="rise",
        title="RISE",
        about="where the score is high when random parts of the image are seen",
        source="Petsiuk et al. (2018), RISE, eq. 6",
        passes="a forward pass for each mask",
        needs_layer=False,
        build=_rise,
        options=(
            MethodOption("masks", 1000, "random masks", low=2),
            MethodOption("cells", 7, "cells of a mask along a side", low=1),
            MethodOption("keep", 0.5, "probability that a cell is seen", low=0.01, high=0.99),
            MethodOption("seed", 0, "of the masks", low=0),
        ),
    ),
)
METHODS = {row.name: row for row in _ROWS}
EXPORTED = tuple(row.name for row in _ROWS if row.exported)


def method_named(name):
    """Look a method up.

    Raises:
        ConfigError: the name is not in the table.
    """
    if name not in METHODS:
        raise ConfigError(
            f"--method must be one of {', '.join(METHODS)}. Received '{name}'.{did_you_mean(name, METHODS)}"
        )
    return METHODS[name]
