"""The documents that a route may answer from."""
