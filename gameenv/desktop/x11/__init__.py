"""X11: windows, key injection by XTest, listening by XInput2 raw events. The only modules that import Xlib."""
