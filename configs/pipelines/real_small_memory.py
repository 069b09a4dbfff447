"""Ordinary video on CPU cores, as `real_small`, with a memory: who leaves and comes back is known again."""

_base_ = "real_small.py"

# The default, chosen on drawn lookalikes, is too generous to people far away: see docs/tracking.md, "Coming back".
tracker = dict(memory=dict(checkpoint="bundled:redetector_lite_real", score=0.6))
