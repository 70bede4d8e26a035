"""The desktop: windows of other programs, their pictures, keys pressed and heard; one backend a system.

``opening`` is the one place that chooses the backend.
"""
