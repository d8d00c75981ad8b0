"""``python -m edgebio``."""

from edgebio.cli import main

main(prog_name="edgebio")
