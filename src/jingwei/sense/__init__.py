"""Devices and readings: from a device to a durable, addressed, queryable reading (城市感知)."""
