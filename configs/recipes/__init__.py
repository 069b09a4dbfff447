"""How the bundled weights were made: each config opens with its command and its result."""
