"""Frozen values that every room shares: no I/O, no vendor word, nothing imported but the standard library."""
