"""`python -m medxray` is the command `medxray`."""

from medxray.cli import main

main()
