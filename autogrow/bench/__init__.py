"""Benchmarks: speed as a ratio inside one run, never as a promise."""
