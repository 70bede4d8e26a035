"""Trains the convolutional baseline."""
