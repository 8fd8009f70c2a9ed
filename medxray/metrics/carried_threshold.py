"""The stored operating point at another place: it follows from the rule it was chosen by, no label is looked at."""

import numpy as np
from scipy.special import expit, logit

from medxray.metrics.threshold_rules import YOUDEN, parse_rule
from medxray.metrics.thresholds import OperatingPoint


def carried_log_odds(point, *, old, new):
    """The threshold on log-odds that hold at a new prevalence.

    Youden's rule asks for the highest sensitivity + specificity. Where probabilities hold, that is where an image
    speaks for both classes alike, so where its probability is the prevalence. The bound of "youden:S" is for images
    unlike those that it was chosen on; here images of the place were looked at, so it is Youden's rule. A rule on the
    sensitivity keeps the weight of evidence: the log-odds beyond those of the prevalence. A cost and a fixed number are
    about probabilities: they stay.

    Args:
        point: the stored OperatingPoint.
        old: prevalence of the positive class that the stored log-odds are for, 0-1; None: not known.
        new: the same at the new place.

    Returns:
        float.

    Source: Metz (1978), Basic principles of ROC analysis: the slope of the curve at an operating point is the
    likelihood ratio there; Youden's point has slope 1.
    """
    kind = parse_rule(point.rule).kind
    if kind == YOUDEN:
        return float(logit(new))
    if kind == "sensitivity" and old is not None:
        return float(point.log_odds + logit(new) - logit(old))
    return float(point.log_odds)


def carried_point(point, *, old, new, site):
    """`carried_log_odds` as an OperatingPoint that says where it comes from.

    Args:
        point: the stored OperatingPoint.
        old: prevalences of both classes, the positive one last; None: not known.
        new: the same at the new place.
        site: name of the new place.
    """
    found = carried_log_odds(point, old=None if old is None else old[-1], new=np.asarray(new)[-1])
    rule = YOUDEN if parse_rule(point.rule).kind == YOUDEN else point.rule  # without a bound, see above
    return OperatingPoint(float(expit(found)), rule, f"{point.chosen_on}, carried over to {site}", found)


def threshold_words(point):
    """What is kept of a stored operating point when it is carried over, in words."""
    rule = parse_rule(point.rule)
    bound = f", without the bound of {point.rule}, which is for images that nobody has looked at" if rule.target else ""
    return {
        YOUDEN: f"Youden's rule{bound}: from a probability that is the prevalence on, an image is called positive",
        "sensitivity": "a rule on the sensitivity: the weight of evidence of the stored threshold is kept",
        "cost": "a cost is about probabilities: the stored threshold is kept",
        "fixed": "a fixed threshold is kept",
    }[rule.kind]
