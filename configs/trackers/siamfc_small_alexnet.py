"""SiamFC with a narrow AlexNet, on procedural videos."""

_base_ = ["./siamfc_small.py"]

architecture = "siamfc_small_alexnet"
