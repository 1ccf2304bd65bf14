"""Who may see or do what, and why."""

from jingwei.access.asker import Asker, local_person

__all__ = ["Asker", "local_person"]
