"""What is written and read again: whole files, JSON, tensors, and checkpoints of them."""
