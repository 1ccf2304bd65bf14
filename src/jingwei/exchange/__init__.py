"""What the city tells systems of others by itself: events of the log, to subscribers that asked for them."""

from jingwei.exchange import events, policy

__all__ = ["events", "policy"]
