"""Sensors at fault: silent, stuck, drifting, noisy, implausible beside their neighbours; with evidence."""
