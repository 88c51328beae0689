# On this machine's CPUs, jobs are forks of one process that has imported what they need.

from autogrow.process import fork_server

if SETTINGS.device == "cpu" and not SETTINGS.cluster:

    onstart:
        fork_server.start(
            ["autogrow.runs.run", "analysis.landscapes.surfaces"]
            + [f"analysis.{name}" for name in ("tables.build", "figures.draw")]
        )
