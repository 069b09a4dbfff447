"""Evaluation of video instance segmentation: a pure core over arrays, under thin forms for people and files."""
