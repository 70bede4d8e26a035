"""Beyond imitation: a trained ``bc`` network plays the built-in game and learns from what comes of it."""
