"""Benchmarks that give their objects in a frame: what is read, how it is run, and the files that their servers take."""
