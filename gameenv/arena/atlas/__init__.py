"""Levels as pictures and in words: maps, contact sheets, what things are called."""
