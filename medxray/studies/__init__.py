"""Several runs: which is best, and is the difference real."""
