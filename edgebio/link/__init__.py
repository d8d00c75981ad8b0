"""Frames, messages and the client: talks to a board by pyserial."""
