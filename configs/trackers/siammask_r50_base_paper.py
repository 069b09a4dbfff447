"""The base stage as in SiamMask for multiple objects: weights 1, 1 and 32 (section 4.3), rates to 5e-4 (section 6.1)."""

_base_ = ["./siammask_r50_base.py"]

losses = dict(score=1.0, box=1.0, mask=32.0, second_stage=32.0)
schedule = dict(final_rate=5e-4)
