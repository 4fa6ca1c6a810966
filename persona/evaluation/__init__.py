"""Which of two arms is better, and how sure that is: replay of a holdout, metrics, paired and sequential statistics."""
