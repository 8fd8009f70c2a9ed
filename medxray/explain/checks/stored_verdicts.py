"""Which methods passed the randomisation check on a run, as its files say. No TensorFlow."""

import logging

from medxray.system import storage

log = logging.getLogger(__name__)
_SPLITS = ("train", "val", "test")  # what a later one says of a method counts
_KEPT = ("passed", "n", "rank_correlation", "between_images")


def stored_verdicts(directory):
    """What `explain evaluate` found of methods on a run.

    Args:
        directory: runs.directory.RunDir.

    Returns:
        dict method -> bool, whether it passed at its newest check: on the test split, else on val, else on train.
    """
    passed = {}
    for split in _SPLITS:
        file = directory.own_evaluation(split).explanations.report_file
        passed |= {name: bool(found["passed"]) for name, found in verdicts_in(file).items()}
    return passed


def verdicts_in(file):
    """What a file of `explain evaluate` says of methods, those of earlier checks included.

    Args:
        file: path of explanations.json.

    Returns:
        dict method -> dict of passed, n (images of the randomisation check), rank_correlation and between_images, of
        those that are known. Empty where there is no file, or with a warning where it cannot be read.
    """
    try:
        report = storage.read_json(file)
        found = report.get("earlier", {}) | {name: one["randomisation"] for name, one in report["methods"].items()}
        if not all(isinstance(one["passed"], bool) for one in found.values()):
            raise ValueError("a verdict is neither true nor false")
        return {name: {key: one[key] for key in _KEPT if key in one} for name, one in found.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        log.warning("%s cannot be read and decides no method: %r.", file, error)
        return {}


def failing_words(directory, method):
    """A sentence that says that a method failed on a run, and which ones passed.

    Args:
        directory: runs.directory.RunDir.
        method: name of a row of `methods.METHODS`.

    Returns:
        str; empty where it passed or was not checked.
    """
    passed = stored_verdicts(directory)
    if passed.get(method, True):
        return ""
    good = [name for name, well in passed.items() if well]
    others = f"These passed: {', '.join(good)}." if good else "No method that was checked passed."
    return (
        f"The check of explanations found that {method} fails on this run: its maps say little of the model. {others}"
    )
