"""Ways out to other people's tools, each by a package of its own that is imported only when it is used."""
