"""SiamRPN with the small trunk, on procedural videos: the baseline of `siammask_small_base`."""

_base_ = ["./siammask_small_base.py"]

architecture = "siamrpn_small"
losses = dict(_delete_=True, score=2.0, box=1.5)
