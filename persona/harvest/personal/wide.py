"""Pieces of signs: what RE2 writes otherwise than `re`, never narrower.

A sign is a pattern for RE2 that is in every text in which a finder finds something. RE2 looks neither ahead nor back,
so a sign has the character before or instead; its classes are ASCII, so what is no ASCII counts as a letter here. Other
digits are written as those of ASCII before a sign is looked for.
"""

BEFORE = "(?:^|[^0-9A-Za-z_])"  # where a word may start
AFTER = "(?:[^0-9A-Za-z_]|$)"
LETTERS = r"[0-9A-Za-z_\-\x{80}-\x{10ffff}]+"
SPACE_SET = r"\s\v\x{1c}-\x{1f}\x{85}\p{Z}"
SPACE = f"[{SPACE_SET}]"
CAPITAL_SET = "A-ZÀ-ÖØ-Þ"
