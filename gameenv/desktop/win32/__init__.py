"""Windows: windows by user32, keys by scan code, listening by a low-level hook. Never run on Windows so far."""
