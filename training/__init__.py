"""Labeled samples in, a trained policy out."""
