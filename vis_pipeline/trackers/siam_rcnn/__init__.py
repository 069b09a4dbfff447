"""Siam R-CNN (Voigtlaender et al., CVPR 2020): an object re-detected in every frame, and which re-detection it is."""
