"""Records of finished runs, packed so that they outlive the machine that trained them.

Never imports torch.
"""
