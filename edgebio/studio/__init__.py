"""The page in the browser: signals, guided recording, training, decisions, tests."""
