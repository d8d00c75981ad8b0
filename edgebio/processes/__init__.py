"""Everything that edgebio starts on the host: programs, compilers, subprocesses and threads."""
