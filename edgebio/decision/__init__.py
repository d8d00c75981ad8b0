"""Votes and rejection: the firmware's decision, its settings and its host twin."""
