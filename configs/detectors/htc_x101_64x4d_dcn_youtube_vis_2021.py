"""HTC X-101-64x4d with deformable convolutions for YouTube-VIS 2021: as for 2019, but with other classes."""

_base_ = ["./htc_x101_64x4d_dcn_youtube_vis_2019.py"]

from detectors.class_maps import YOUTUBE_VIS_2021 as classes
