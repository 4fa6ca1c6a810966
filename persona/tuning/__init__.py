"""Tuning jobs: from a dataset to a tuned model, whatever backend trains it."""
