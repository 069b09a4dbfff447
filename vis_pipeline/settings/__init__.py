"""From config files to typed settings, and what the machine offers."""
