"""Subprocesses, threads and compilers: everything that edgebio starts on the host goes through here."""
