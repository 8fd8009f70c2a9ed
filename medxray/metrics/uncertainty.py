"""How unsure several answers to the same image are, and how far they contradict each other. No TensorFlow."""

import numpy as np
from scipy.special import logsumexp


def entropy_terms(log_probabilities):
    """-sum p log p over the last axis, in nats: float array (...,K) of log-probabilities -> (...)."""
    return -(np.exp(log_probabilities) * log_probabilities).sum(axis=-1)


def predictive_uncertainty(log_probabilities, weights):
    """Entropy of the mean probabilities of several answers, and what of it is disagreement.

    Args:
        log_probabilities: float array (n,S,K), those of S answers to each image, finite.
        weights: float array (S,), with sum 1.

    Returns:
        (predictive entropy, mutual information), float64 arrays (n,) in nats: 0 to log K, and 0 to the entropy. The
        mutual information of answer and model is the entropy of the mean less the mean of the entropies.

    Source: Gal, Islam and Ghahramani (2017), Deep Bayesian active learning with image data, section 4 (max entropy and
    BALD, after Houlsby et al. 2011); deviations: answers have weights.
    """
    log_probabilities, weights = np.asarray(log_probabilities, np.float64), np.asarray(weights, np.float64)
    mean = logsumexp(log_probabilities, axis=1, b=weights[:, None])
    entropy = entropy_terms(mean)
    return entropy, np.maximum(entropy - entropy_terms(log_probabilities) @ weights, 0.0)
