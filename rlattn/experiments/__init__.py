"""Programs that train policies and report on them, and the pieces that reports are made of."""
