"""One display per figure, in one style."""
