"""Training of SiamMask on pairs of frames of YouTube-VIS splits."""
