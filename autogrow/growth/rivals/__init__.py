"""Growing policies beside AutoGrow's, one file each, as their papers describe them.

Each is a subclass of :class:`autogrow.growth.policies.Policy` and has its line in
:mod:`autogrow.growth.registry`. They know nothing of torch, files or networks.
"""
