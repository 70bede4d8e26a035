"""The agent thinks while it acts: the words of the next moments are settled before the answer that follows them."""

from policies.realtime.runner import Pace, RealtimeOptions, Timing, run_paced, run_realtime

__all__ = ["Pace", "RealtimeOptions", "Timing", "run_paced", "run_realtime"]
