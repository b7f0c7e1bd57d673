"""Reinforcement learning against gradients on one frozen host: the program and its pieces."""
