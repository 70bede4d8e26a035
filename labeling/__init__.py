"""Recordings to training samples: cut into clips, name each one's goal, pair each frame with its next seven actions."""

from labeling.hf import to_hf_dataset
from labeling.reader import DatasetInfo, Sample, load_info, load_samples
from labeling.split import split_samples

__all__ = ["DatasetInfo", "Sample", "load_info", "load_samples", "split_samples", "to_hf_dataset"]
