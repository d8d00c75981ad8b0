"""Running a model: on the host twin, on an emulated board or on a board on a port."""
