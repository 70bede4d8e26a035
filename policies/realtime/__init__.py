"""The agent thinks while it acts: the words of the next moments are settled before the answer that follows them."""

from policies.realtime.runner import RealtimeOptions, Timing, run_realtime

__all__ = ["RealtimeOptions", "Timing", "run_realtime"]
