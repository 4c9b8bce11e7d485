"""The command line: what `tools/` starts."""
