"""Comparisons on a classifier: what is done in another way than on a translator."""
