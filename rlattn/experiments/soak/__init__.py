"""A long run on changing inputs, and whether memory and speed stay as they are."""
