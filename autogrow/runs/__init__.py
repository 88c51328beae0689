"""One run: a spec goes in, a folder with records and weights comes out.

Knows training and all chapters below; knows nothing of the command line, of Snakemake or
of tables.
"""
