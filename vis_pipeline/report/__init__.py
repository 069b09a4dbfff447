"""A run to look at in the browser: one folder, opened from the disk."""
