"""Images of a data set as batches of tensors on the device, augmented and normalised.

Knows data sets and specs; knows nothing of networks or training.
"""
