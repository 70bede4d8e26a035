"""The evaluation report: one page that a person can judge by. ``python -m policies.report`` writes it again."""
