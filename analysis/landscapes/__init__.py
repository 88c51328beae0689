"""Losses around a trained network: trajectories (Figures 5 and 6) and surfaces (Figure 7)."""
