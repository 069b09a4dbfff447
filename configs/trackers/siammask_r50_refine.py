"""SiamMask with ResNet-50, refinement stage, as the official release trains it, on the result of `siammask_r50_base`.

Everything but the refinement is frozen. Search crops of 143 pixels (their response is 3x3), shifted by up to 8 pixels:
the shift of 64 shrinks with the margin. No negative pairs; only the refined 127x127 mask is learned, and with it stage
2's. (The release lets the mask branch's correlation learn, too: `learning.frozen` without `mask_model`.)
"""

_base_ = ["./siammask_r50_base.py"]

architecture = "resnet50"
init = dict(_delete_=True, type="network", path="work_dirs/siammask_r50_base/tracker.safetensors")
pairs = dict(negatives=0.0)
losses = dict(score=0.0, box=0.0, mask=0.0, refined=36.0, second_stage=36.0)
learning = dict(_delete_=True, backbone=dict(), frozen=["adjust", "rpn_model", "mask_model"])
schedule = dict(search_sides=[(0.0, 143)])
