"""Which arm may serve: states, gates, and what a model came from."""
