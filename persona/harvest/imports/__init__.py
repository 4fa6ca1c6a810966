"""Conversations that were held elsewhere, from a file into the store."""
