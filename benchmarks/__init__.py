"""The figures of the README: each beside its physical limit and a peer, in one run. `python -m benchmarks`."""
