"""Rules: what an operator of each kind must be like to be compiled, by families of kinds."""
