"""Finished runs as rows: summaries and CSVs, checked as they are read.

Never imports torch.
"""
