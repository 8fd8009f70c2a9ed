"""What was probably meant by a mistyped name. No TensorFlow."""


def did_you_mean(word, names):
    """A question such as "Did you mean 'vgg16'?" behind a space, for the name most like a word; "" where none is.

    Args:
        word: what was given, str; letter case does not count.
        names: iterable of str, what it may have been.
    """
    from difflib import get_close_matches  # only where something was mistyped

    known = {str(name).casefold(): name for name in names}
    near = get_close_matches(str(word).casefold(), known, n=1)
    return f" Did you mean '{known[near[0]]}'?" if near else ""
