"""HTC R-50 for YouTube-VIS 2021: as for 2019, but with other classes."""

_base_ = ["./htc_r50_youtube_vis_2019.py"]

from detectors.class_maps import YOUTUBE_VIS_2021 as classes
