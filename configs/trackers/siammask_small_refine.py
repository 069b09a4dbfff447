"""The small SiamMask on procedural videos, refinement stage, on the result of `siammask_small_base`."""

_base_ = ["./siammask_small.py"]

init = dict(type="network", path="work_dirs/siammask_small_base/tracker.safetensors")
pairs = dict(negatives=0.0)
losses = dict(score=0.0, box=0.0)
learning = dict(backbone=dict(), frozen=["adjust", "rpn_model", "mask_model"])
schedule = dict(steps=3000, search_sides=[(0.0, 143)])
