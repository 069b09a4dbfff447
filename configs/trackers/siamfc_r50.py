"""SiamFC with ResNet-50, the baseline of the two-branch SiamMask: scores of positions alone (L_sim, section 3.1).

Data, rates and labels are those of `siammask_r50_two_branch`, so that the two differ in the mask branch.
"""

_base_ = ["./siammask_r50_two_branch.py"]

architecture = "siamfc_resnet50"
losses = dict(_delete_=True, similarity=1.0)
