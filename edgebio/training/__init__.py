"""Fit a network to recordings."""
