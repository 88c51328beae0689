"""The summary of a finished run, made up."""

SUMMARY = {
    "status": "complete",
    "kind": "autogrow",
    "network": "Basic3ResNet-2-1-1",
    "depth": "2-1-1",
    "layers": 10,
    "parameters": 1000,
    "flops": 5000,
    **{f"{which}_accuracy": 90.0 for which in ("final", "best")},
    **{f"{which}_top5": 95.0 for which in ("final", "best")},
    **{f"{which}_val_accuracy": 90.0 for which in ("final", "best")},
    "final_train_accuracy": 90.0,
    "epochs": {"growing": 4, "adaminit": 0, "finetuning": 4, "training": 0},
    "adaminit": [],
    "seconds_growing": 1.5,
    "seconds_finetuning": 2.5,
    "protocol": "paper",
    "seed": 0,
    "data": {
        **{"name": "digits", "training_images": 64, "validation_images": 16, "test_images": 16},
        **{"image_size": 8, "image_channels": 1, "classes": 10, "mean": [0.5], "std": [0.5]},
        **{"statistics": "measured", "crop_padding": 0, "flip": False, "checksum": "0" * 64},
    },
    "versions": {"python": "3.11.7", "torch": "2.6.0", "numpy": "2.0.0", "autogrow": "0.1.0"},
    "git_commit": "a" * 40,
    "device": "cpu (test_cpu)",
    "threads": 1,
}


def made_up_summary(**values):
    """Return a whole summary with these values in place of the usual ones."""
    return {**SUMMARY, **values}
