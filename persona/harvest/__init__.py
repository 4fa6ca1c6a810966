"""From the log to training data: select, render, check, split, write."""
