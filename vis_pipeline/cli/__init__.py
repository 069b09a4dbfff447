"""The `vis-pipeline` command: one module a command."""
