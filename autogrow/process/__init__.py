"""A process and its neighbours: device, memory, signals, locks, several processes.

Knows nothing of networks, data or runs.
"""
