"""Legs: the stretches of the scripted expert's way through a level, one kind a file."""
