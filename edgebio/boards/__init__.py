"""Boards: one TOML file each, how they are emulated and how they are flashed."""

from edgebio.boards.board import Board, load, names, with_link

__all__ = ["Board", "load", "names", "with_link"]
