"""What the paper claims, as data, and the verdicts on it.

Every claim of config/claims.yaml names the rows and columns it rests on, its test and its margin.
``claims``, ``kinds`` and ``rules`` are the claims; a verdict goes from ``values`` by ``pairs``,
``evidence`` and ``significance`` to ``judging`` and ``reports``. Never imports torch.
"""
