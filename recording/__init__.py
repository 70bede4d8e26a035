"""Demonstrations: what was seen and which keys were held, tick by tick, on disk and back.

RecordingWrapper   records whatever is played through a Gymnasium environment
Session            reads a recording; ``find_sessions`` lists them
SessionRow, KeyEvent      one tick of it
"""

from recording.session import KeyEvent, Session, SessionRow, find_sessions
from recording.wrapper import RecordingWrapper

__all__ = ["KeyEvent", "RecordingWrapper", "Session", "SessionRow", "find_sessions"]
