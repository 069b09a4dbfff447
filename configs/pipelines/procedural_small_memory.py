"""The demo's pipeline with a memory: what leaves a drawn video and comes back is known again."""

_base_ = "procedural_small.py"

tracker = dict(memory=dict(checkpoint="bundled:redetector_small"))
