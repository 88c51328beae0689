"""Figures 2-8 of the paper as PDF and PNG, from their CSVs alone."""
