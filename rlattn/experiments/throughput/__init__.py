"""How fast the environment is, measured against its frozen host alone."""
