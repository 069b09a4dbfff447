"""Siam R-CNN's "fastest" (section 4.5) for ordinary video: half the resolution, and 100 regions a frame."""

_base_ = ["./real_siam_rcnn.py"]

detector = dict(config="detectors/htc_lite_real_half")
tracker = dict(redetection=dict(proposals=100, refined=10))
