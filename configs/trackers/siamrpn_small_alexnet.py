"""SiamRPN with a narrow AlexNet, on procedural videos."""

_base_ = ["./siamrpn_small.py"]

architecture = "siamrpn_small_alexnet"
