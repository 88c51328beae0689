"""The figures of the paper: first a CSV from finished runs, then the picture from the CSV.

Plotting reads CSVs alone; never trains and never imports torch.
"""
