"""Networks of timm's classes that take milliseconds; imported, timm knows them by name."""

from timm.models import SwinTransformer, build_model_with_cfg, register_model


@register_model
def tiny_swin(pretrained=False, **options):
    """Two stages, whose branches are dropped half of the time in the end."""
    own = {"embed_dim": 8, "depths": (2, 2), "num_heads": (1, 2), "window_size": 2}
    options = {**own, "drop_path_rate": 0.5, **options}
    return build_model_with_cfg(SwinTransformer, "tiny_swin", pretrained, **options)
