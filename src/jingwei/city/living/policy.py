"""Who may set the clock of a fictional city; who hears of it is said by the city's own events."""

from jingwei.access.policy.vocabulary import declare_action, declare_policies
from jingwei.words import Text

SET = "city.clock"

declare_action(SET, ("City",), Text("调整演示城市的时钟", "set the clock of a demo city"))
declare_policies(
    """
@id("city-clock")
permit (
  principal,
  action == Action::"city.clock",
  resource
)
when { principal in Role::"operator" || principal in Role::"system_administrator" };
""",
    [
        {"says": "operators set the clock of a demo city", "roles": ["operator"], "action": SET,
         "resource": "City", "allowed": True},
        {"says": "and so does who runs the system", "roles": ["system_administrator"], "action": SET,
         "resource": "City", "allowed": True},
        {"says": "staff do not", "roles": ["staff"], "departments": ["D"], "action": SET,
         "resource": "City", "allowed": False},
        {"says": "everyone hears that the clock was set", "action": "event.follow", "resource": "Event",
         "attributes": {"type": "city.clock_set", "part": "city", "subject": "city/clock"}, "allowed": True},
    ],
)  # fmt: skip
