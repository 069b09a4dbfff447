"""Training of SiamMask on pairs of crops from videos and still images."""
