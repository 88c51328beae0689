"""The Python interface: grow a network of one's own on images of one's own.

Knows runs and all chapters below; turns a caller's objects into a spec, images and what a run
is given, and knows nothing of the command line.
"""
