"""What a job of the workflow takes over from finished runs, in their absence."""


def completed(run, settings):
    """Return the settings of a run's job with the depth and epochs of the catalogue's spec."""
    settings = dict(settings)
    if run.depth_of is not None and run.spec.kind == "autogrow":
        settings["policy_options"] = dict(run.spec.policy_options)
    elif run.depth_of is not None:
        settings["network"] = str(run.spec.first_network)
    if run.budget_of is not None:
        settings["epochs"] = run.spec.epochs
    return settings
