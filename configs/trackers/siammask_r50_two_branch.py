"""The two-branch variant of SiamMask with ResNet-50 (multiple-object paper, Table 2): L = 32 L_mask + L_sim (eq. 11).

A position is positive less than 16 pixels from the object's centre (section 4.5); rates as in section 6.1.
"""

_base_ = ["./siammask_r50_base.py"]

architecture = "resnet50_two_branch"
labels = dict(_delete_=True, radius=16.0)
losses = dict(_delete_=True, similarity=1.0, mask=32.0, second_stage=0.0)
schedule = dict(final_rate=5e-4)
