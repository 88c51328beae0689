"""Growable networks: the paper's, timm's and torchvision's, one's own; initializers and costs.

Paper sections 2.1 and 2.2. Knows torch; knows nothing of data or training.
"""
