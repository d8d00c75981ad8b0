"""Boards: one TOML file each, how they are emulated and how they are flashed."""

from edgebio.boards.board import Board, load, names

__all__ = ["Board", "load", "names"]
