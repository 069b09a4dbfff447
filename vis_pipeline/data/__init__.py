"""What is read: splits and results, data sets in other forms, and frames from folders, files and live sources."""
