"""Decisions: vote, confidence and rest; the settings, the C and its host twin."""
