"""Growable networks, their sub-modules, initializers and costs (paper sections 2.1 and 2.2).

Knows torch; knows nothing of data, training or files.
"""
