"""What finished tracks are worth: scores and classes, and which of them say the same twice."""
