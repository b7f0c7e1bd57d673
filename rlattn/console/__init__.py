"""What the programs share: options, lines in and out, and the terminal."""
