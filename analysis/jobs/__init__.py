"""What a job of the workflow asks for, what it will cost, and leftover locks.

The estimates count the FLOPs of networks and measure this machine; nothing here trains.
"""
