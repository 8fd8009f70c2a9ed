"""Errors that medxray raises on purpose. Each message says what was expected, what came and what to do."""


class MedxrayError(Exception):
    """Base of every error that a user can cause and mend."""


class ConfigError(MedxrayError):
    """An option has an impossible value, or options contradict each other."""


class DataError(MedxrayError):
    """A folder, CSV or manifest cannot be used as a dataset."""


class ImageError(MedxrayError):
    """One file cannot be read as an image."""


class ReadError(MedxrayError):
    """Reading a file failed for a reason that is not in the file: memory, the disk, or a fault of medxray."""


class WeightsError(MedxrayError):
    """Pretrained weights are missing, damaged, not what they should be, or belong to another architecture."""


class UnavailableWeightsError(WeightsError):
    """Pretrained weights cannot be had here and now: no connection, or a package that is not installed."""


class RunError(MedxrayError):
    """A run directory is missing, foreign, incomplete or already there."""


class StorageError(MedxrayError):
    """A file could not be written: disk full, no permission."""


class SetupError(MedxrayError):
    """Something that medxray needs on this machine is missing or broken."""


class TrainingError(MedxrayError):
    """Training cannot go on, for example because the loss is not a number."""


def out_of_memory(error):
    """Whether Python or TensorFlow ran out of memory; TensorFlow's error is known by name, without importing it."""
    return isinstance(error, MemoryError) or "ResourceExhaustedError" in [kind.__name__ for kind in type(error).__mro__]
