"""Typed settings of a run, and what they become once every default is filled in.

Knows the names of networks and data sets, and the schedules; never trains.
"""
