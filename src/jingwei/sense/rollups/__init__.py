"""Roll-ups of readings by cell, interval and property.

They stand beneath the policy: who asks on behalf of a person names the streams that this person may see.
"""

from jingwei.sense.rollups.asking import Aggregates
from jingwei.sense.rollups.calendar import HOUR, KINDS, Calendar, Kind, Span
from jingwei.sense.rollups.engine import Rollups
from jingwei.sense.rollups.kept import Address
from jingwei.sense.rollups.opening import Keeper, open_rollups, rollups_when_asked
from jingwei.sense.rollups.quantities import Quantity
from jingwei.sense.rollups.used import used_by

__all__ = [
    "HOUR",
    "KINDS",
    "Address",
    "Aggregates",
    "Calendar",
    "Keeper",
    "Kind",
    "Quantity",
    "Rollups",
    "Span",
    "open_rollups",
    "rollups_when_asked",
    "used_by",
]
