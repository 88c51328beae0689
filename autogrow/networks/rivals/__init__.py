"""Initializers beside AutoGrow's, one file each, as their papers describe them.

Each is a subclass of :class:`autogrow.networks.initializers.Initializer` and has its line in
:mod:`autogrow.networks.initializer_names`.
"""
