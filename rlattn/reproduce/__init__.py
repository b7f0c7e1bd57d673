"""The program that runs an experiment once more, and compares what comes out."""
