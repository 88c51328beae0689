"""What is run: config/experiments.yaml and a scale become typed specs of runs.

Knows the specs of ``autogrow``; never imports torch and never trains.
"""
