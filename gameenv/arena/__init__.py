"""The built-in game: generated levels in a real 3-D engine (ViZDoom), with a referee that knows the truth.

Importing this package loads no engine; ``gameenv.arena.engine.engine`` does, when an environment is made.
"""
