"""The engine: starts ViZDoom in lock-step or in a window of its own, opens levels, reads frames and truth."""
