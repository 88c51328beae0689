"""The tables of the paper from finished runs: CSV, Markdown and LaTeX.

Never imports torch.
"""
