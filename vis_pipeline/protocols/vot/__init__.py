"""VOT-2016, 2018, 2019: the supervised experiment with resets, the unsupervised, and a tracker that speaks TraX."""
