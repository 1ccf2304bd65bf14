"""Readings from a stream of NATS JetStream that stands in front of the city."""
