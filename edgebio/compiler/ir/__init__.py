"""Intermediate representation: network, layers, kernel calls, memory plan, program."""
