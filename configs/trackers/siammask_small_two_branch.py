"""The small SiamMask in its two-branch variant, on procedural videos: L = 32 L_mask + L_sim."""

_base_ = ["./siammask_small.py"]

architecture = "small_two_branch"
labels = dict(_delete_=True, masks=3)
losses = dict(_delete_=True, similarity=1.0, mask=32.0, second_stage=0.0)
