"""Models behind an OpenAI-compatible address: one client for whoever asks, and the policy that plays by it."""

from policies.server.policy import ServerPolicy

__all__ = ["ServerPolicy"]
