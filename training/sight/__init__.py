"""Teaching a new model's vision part what a frame shows, by the truth that the built-in game gives for free."""

WEIGHTS_FILE = "vision.pt"
SETTINGS_FILE = "settings.json"
"""The files of a finished one: the vision part's weights, and the sizes they are for."""
