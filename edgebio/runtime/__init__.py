"""A model at work: on the host twin, on an emulator or on a board."""
