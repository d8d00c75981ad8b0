"""From verified operators to layers, by families of kinds as the rules are."""
