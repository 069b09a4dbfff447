"""Siam R-CNN: re-detection of what was seen before, over the whole frame."""
