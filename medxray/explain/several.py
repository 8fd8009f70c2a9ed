"""Several methods at once: the requests that one call stands for, and those that a model can answer."""

import logging

from medxray.errors import ConfigError
from medxray.explain.explainer import ExplainRequest
from medxray.explain.methods import COMPILED, METHODS, method_named

log = logging.getLogger(__name__)
ALL = "all"


def requests_for(methods, *, layer=None, target=None, options=(), engine=COMPILED):
    """The ExplainRequests of the methods that users name.

    Args:
        methods: text, names separated by commas, or ALL.
        layer: as for ExplainRequest; of several methods for those that look at a layer.
        target: as for ExplainRequest.
        options: as for ExplainRequest; of several methods each option is for those that have it.
        engine: as for ExplainRequest.

    Returns:
        tuple of ExplainRequest, in the order of the names.

    Raises:
        ConfigError: an unknown method; a layer or an option that is for none of several methods.
    """
    names = METHODS if methods == ALL else dict.fromkeys(name.strip() for name in methods.split(","))
    rows = [method_named(name) for name in names]
    if len(rows) == 1:
        return (ExplainRequest(rows[0].name, layer, target, engine, options),)
    known = {row.name: {option.name for option in row.options} for row in rows}
    for name, _ in options:
        if not any(name in here for here in known.values()):
            raise ConfigError(f"None of {', '.join(known)} has the option '{name}'.")
    if layer is not None and not any(row.needs_layer for row in rows):
        raise ConfigError(f"--layer is for methods that look at a layer. None of {', '.join(known)} does.")
    return tuple(
        ExplainRequest(
            row.name,
            layer if row.needs_layer else None,
            target,
            engine,
            tuple((name, value) for name, value in options if name in known[row.name]),
        )
        for row in rows
    )


def requests_of(run, methods, *, among=METHODS, **wanted):
    """The ExplainRequests of the methods that users name, of which a run can answer all.

    Args:
        run: a run as `medxray.load_run` returns it.
        methods: as for `requests_for`; ALL: those of `among` that the model can answer, of which the log names the
            others.
        among: names of methods that ALL stands for.
        **wanted: as for `requests_for`.

    Returns:
        tuple of ExplainRequest.

    Raises:
        ConfigError: as for `requests_for` and `ExplainRequest.check`.
    """
    if methods != ALL:
        requests = requests_for(methods, **wanted)
        for request in requests:
            request.check(run)
        return requests
    found, refused = answerable(run, requests_for(",".join(among), **wanted))
    for name, reason in refused.items():
        log.warning("%s is left out. %s", name, reason)
    return found


def answerable(run, requests):
    """Find the requests that the model of a run can answer.

    Args:
        run: a run as `medxray.load_run` returns it.
        requests: ExplainRequests.

    Returns:
        (tuple of the ExplainRequests it can answer, dict method -> why it cannot of the others).

    Raises:
        ConfigError: a class, layer or option that is wrong whatever the method.
    """
    for request in requests:
        request.check(run)
    found, refused = [], {}
    for request in requests:
        try:
            run.explainer(request)
        except ConfigError as error:
            refused[request.method] = str(error)
        else:
            found.append(request)
    return tuple(found), refused
