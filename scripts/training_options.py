"""Options of scripts that train a classifier of their own."""


def add_training_options(parser):
    """Add what a training needs to an argparse parser; `training_values` reads it."""
    parser.add_argument("--data", required=True, metavar="DIR", help="As for `medxray train`; two classes or more.")
    parser.add_argument("--arch", required=True)
    parser.add_argument("--mode", required=True)
    parser.add_argument("--task", help="As for `medxray train`.")
    parser.add_argument("--weights", default="auto", help="As for `medxray train`.  [default: auto]")
    parser.add_argument("--epochs", type=int, metavar="N", help="[default: that of the mode]")
    parser.add_argument("--image-size", type=int, metavar="PX", help="[default: that of the architecture]")
    parser.add_argument("--resize", help="As for `medxray train`.")
    parser.add_argument("--channels", type=int, help="As for `medxray train`.")
    parser.add_argument("--limit", type=int, metavar="N", help="Images of all splits together.  [default: all]")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="Of split and training.  [default: 0]")


def training_values(args):
    """The options that were given, as arguments of `TrainConfig`, dict."""
    names = (
        *("data", "arch", "mode", "task", "weights", "epochs"),
        *("image_size", "resize", "channels", "limit", "seed"),
    )
    return {name: getattr(args, name) for name in names if getattr(args, name) is not None}
