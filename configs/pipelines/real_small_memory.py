"""Ordinary video on CPU cores, as `real_small`, with a memory: who leaves and comes back is known again."""

_base_ = "real_small.py"

tracker = dict(memory=dict(checkpoint="bundled:redetector_lite_real"))
