"""The fixed-point STFT: its specification, its float64 model and its bit-exact host twin."""
