"""What the paper claims, as data: config/claims.yaml, its model and its checks.

Every claim names the rows and columns it rests on, its test and its margin.
Never imports torch.
"""
