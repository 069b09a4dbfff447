"""Training of Siam R-CNN's re-detection head on a frozen detector's features, which are computed once and kept."""
