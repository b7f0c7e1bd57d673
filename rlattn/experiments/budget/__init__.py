"""What a reading budget pays in seconds: the program and its pieces."""
