"""The command ``autogrow``: options in, one line out, nothing of the work itself.

Knows every chapter below it; nothing imports it but ``analysis`` and ``benchmarks``, which
share its way of telling mistakes.
"""
