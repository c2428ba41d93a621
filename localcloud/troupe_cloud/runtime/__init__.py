"""The execution environment of functions."""
