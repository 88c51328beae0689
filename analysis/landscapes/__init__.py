"""The loss around trained networks: trajectories (Figures 5 and 6) and surfaces (Figure 7).

The one chapter of ``analysis`` that evaluates networks; it reads run folders and never trains.
"""
