"""Who may do what with what, decided by Cedar policies, in one place for pages, API, tiles and exports."""

from jingwei.access.policy.conditions import NotFilterableError, RowFilter
from jingwei.access.policy.engine import Decision, Policies, RefusedError, Resource, Situation
from jingwei.access.policy.vocabulary import declare_action, declare_resource

__all__ = [
    "Decision",
    "NotFilterableError",
    "Policies",
    "RefusedError",
    "Resource",
    "RowFilter",
    "Situation",
    "declare_action",
    "declare_resource",
]
