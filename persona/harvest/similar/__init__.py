"""Rows that say the same, rows that contradict each other, and rows of which there are too many.

Two phases: `columns` turns the texts of a chunk into compact columns, in any process; `decide` reads the columns of
all chunks in their order, in one process, and gives every row one decision. Integers only: no number of processes, no
order of floats and no hash seed of the interpreter decides anything.
"""
