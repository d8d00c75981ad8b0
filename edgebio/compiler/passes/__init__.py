"""Passes of the compiler, in their order: verify, lower, fuse, schedule, plan memory."""
