"""Grid city management: the life of a case, from report to closure."""

from jingwei.cases import events, policy
from jingwei.cases.case import Case
from jingwei.cases.hotline import events as _of_calls  # noqa: F401 -- declares them
from jingwei.cases.hotline import models as _tables  # noqa: F401
from jingwei.cases.hotline import policy as _hotline  # noqa: F401
from jingwei.cases.regime import Regime
from jingwei.cases.schemas import History, Report
from jingwei.cases.service import Desk
from jingwei.cases.store import from_the_log, timeline

__all__ = ["Case", "Desk", "History", "Regime", "Report", "events", "from_the_log", "policy", "timeline"]
