"""The refinement alone, on the result and the data of `siammask_r50_real`: 0.49 million pairs with AdamW."""

_base_ = ["./siammask_r50_real.py"]

init = dict(_delete_=True, type="network", path="work_dirs/siammask_r50_real/tracker.safetensors")
pairs = dict(negatives=0.0)
losses = dict(score=0.0, box=0.0, mask=0.0, refined=36.0, second_stage=36.0)
learning = dict(_delete_=True, backbone=dict(), frozen=["adjust", "rpn_model", "mask_model"])
schedule = dict(steps=1920, search_sides=[(0.0, 143)])
