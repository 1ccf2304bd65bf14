"""The SensorThings extension for DGGS (OGC 26-057, draft 1.0): cells, and what readings say together in each.

A face of the roll-ups: nothing is kept here, and whatever is told was told by `rollups.Aggregates`.
"""
