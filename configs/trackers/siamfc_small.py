"""SiamFC with the small trunk, on procedural videos: the baseline of `siammask_small_two_branch`."""

_base_ = ["./siammask_small_two_branch.py"]

architecture = "siamfc_small"
losses = dict(_delete_=True, similarity=1.0)
