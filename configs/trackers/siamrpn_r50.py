"""SiamRPN with ResNet-50, the baseline of the three-branch SiamMask: anchors' scores and boxes (section 3.2).

Data, rates and labels are those of `siammask_r50_base_paper`, so that the two differ in the mask branch.
"""

_base_ = ["./siammask_r50_base_paper.py"]

architecture = "siamrpn_resnet50"
losses = dict(_delete_=True, score=1.0, box=1.0)
