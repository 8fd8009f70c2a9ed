"""Detectors fitted on normal images alone: a row for each method, fit, graph, scores, maps, card and figures."""
