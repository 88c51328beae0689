"""Compares new tables with committed ones, and promotes tables to a new reference.

Reads tables and summaries; never imports torch.
"""
