"""Algorithm 1 of the paper: growing and stopping policies, and learning-rate schedules.

Pure functions of the accuracies so far: knows nothing of torch, files or networks.
The first chapter to read.
"""
