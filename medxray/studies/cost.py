"""What a run costs: parameters, size, images per second."""

from medxray.api import load_run
from medxray.models.cost import images_per_second
from medxray.system import progress


def costs(members):
    """Load the model of each member, count and time it.

    Args:
        members: list of member.Member.

    Returns:
        list of dict: parameters, model_bytes (of model.keras), images_per_second (see `models.cost`), one after another
        on this machine.
    """
    found = []
    with progress.track(len(members), "Speed of the models") as bar:
        for member in members:
            model = load_run(member.directory.path).model
            found.append(
                {
                    "parameters": model.count_params(),
                    "model_bytes": member.directory.model_file.stat().st_size,
                    "images_per_second": images_per_second(model),
                }
            )
            bar.advance(1, member.name)
    return found
