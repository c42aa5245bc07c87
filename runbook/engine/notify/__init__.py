"""Telling people: which entries of the journal are worth it, in which words, and to whom they have been told."""
