"""Roll-ups of readings by cell, interval and property.

They stand beneath the policy: who asks on behalf of a person names the streams that this person may see.
"""

from jingwei.sense.rollups.calendar import HOUR, KINDS, Calendar, Kind, Span
from jingwei.sense.rollups.engine import Rollups
from jingwei.sense.rollups.kept import Address

__all__ = ["HOUR", "KINDS", "Address", "Calendar", "Kind", "Rollups", "Span"]
