"""A policy on another machine: frames go there, chunks come back. Here it is a policy like any other."""

from policies.remote.client import PolicyClient

__all__ = ["PolicyClient"]
