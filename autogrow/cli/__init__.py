"""The command ``autogrow``: it reads options and starts the work, which is done elsewhere.

It knows every chapter below it. Only ``analysis`` and ``benchmarks`` import it: they share
its parser and its exit statuses.
"""
