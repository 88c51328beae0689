"""Bytes on disk: bounded reading, atomic writing, tensors and YAML.

Knows nothing of what the files mean.
"""
