"""Files that are written whole or not at all, JSON of any size, and images."""
