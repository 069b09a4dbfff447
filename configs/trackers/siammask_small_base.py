"""The small SiamMask on procedural videos, base stage: score, box and mask on the 63x63 head."""

_base_ = ["./siammask_small.py"]

architecture = "small_no_refine"
losses = dict(mask=12.0)
