"""Emit: the C of a program, layouts for other build systems, and what the compiler decided."""
