"""The ladder: every stage of the road held against the one before it."""
