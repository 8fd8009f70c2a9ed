"""Figures of merit on arrays: decision, report, intervals, comparisons. No TensorFlow, no drawing."""
