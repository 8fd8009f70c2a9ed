"""Which explanations an exported graph holds."""

from medxray.errors import ConfigError
from medxray.explain.methods import EXPORTED
from medxray.explain.several import ALL, requests_of
from medxray.system.spelling import did_you_mean


def served_requests(run, methods=None, options=()):
    """The explanations that become signatures of an exported graph.

    Args:
        run: a run as `medxray.load_run` returns it.
        methods: names of `methods.EXPORTED` with commas between them; "all": those that the model can answer, of
            which the log names the others; None: what graphs of this kind of run hold by default.
        options: pairs (name, value) of options, each for the methods that have it.

    Returns:
        tuple of ExplainRequest.

    Raises:
        ConfigError: an unknown method or one that is not exported, an option that none of them has, or a run without
            heatmaps.
    """
    methods = run.kind.serving.EXPLAINED if methods is None else methods
    if not methods and not options:
        return ()
    run.check_gradcam()
    for name in () if methods == ALL else methods.split(","):
        if name.strip() not in EXPORTED:
            raise ConfigError(
                f"An exported graph can hold {', '.join(EXPORTED)}, whose maps neither chance nor rounding moves. "
                f"Received '{name.strip()}'.{did_you_mean(name.strip(), EXPORTED)}"
            )
    return requests_of(run, methods, among=EXPORTED, options=options)
