"""Trains a network epoch by epoch, with checkpoints from which it resumes exactly.

Knows batches, specs, growth and networks; knows nothing of run folders beyond the files
it writes itself.
"""
