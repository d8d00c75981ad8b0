"""Mapping files, patterns of file names, and tables as recordings."""
