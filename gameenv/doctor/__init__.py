"""``gameenv-doctor``: looks at what this machine has for live games and for training, and says what to do about it.

Changes nothing: it presses no key, records nothing and installs nothing.
"""
