"""Measures speed and memory against an everyday training loop: ``python -m benchmarks``.

Needs a clone of the repository. May import everything; nothing imports it.
"""
