"""Bringing the right memories of one owner back."""
