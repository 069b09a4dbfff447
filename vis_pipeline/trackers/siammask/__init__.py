"""SiamMask: the network, its checkpoints, and prediction for many targets at once."""
