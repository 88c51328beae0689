"""A policy, an initializer, a network, a data set and a logger for autogrow."""
