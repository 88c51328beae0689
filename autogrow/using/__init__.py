"""What a finished run found, put to use: predictions, evaluation, exports, a plot, a card.

Knows run folders and all chapters below; knows nothing of the command line, and trains nothing.
"""
