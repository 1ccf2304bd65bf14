"""The conditions of rules on datasets, asked for each group: what lets a rule begin, and ends it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from jingwei import grid
from jingwei.errors import JingweiError
from jingwei.grid.levels import MAX_LEVEL
from jingwei.sense.rules.evaluating import Answer
from jingwei.sense.rules.grounds import asker_of
from jingwei.sense.rules.surroundings import NEVER_ENDS, Spot
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from jingwei.access import Asker
    from jingwei.sense.rules.binding import Streams
    from jingwei.sense.rules.form import DatasetSign, Rule
    from jingwei.sense.rules.grounds import Grounds, Held

log = logging.getLogger(__name__)


class DatasetGate:
    """Answers the evaluator from the rows that are held for each condition of each rule.

    Parameters
    ----------
    rules, streams
        The rules by number, and the streams that they watch.

    """

    def __init__(self, rules: Mapping[int, Rule], streams: Streams) -> None:
        self._rules = {number: rule for number, rule in rules.items() if rule.datasets}
        self._cells: dict[str, dict[int, int]] = {"stream": {}, "thing": {}}
        for one in streams.values() if self._rules else ():
            if one.cell is not None:
                self._cells["stream"][one.id] = one.cell
                self._cells["thing"].setdefault(one.thing, one.cell)
        self.held: dict[int, list[Held] | None] = dict.fromkeys(self._rules)
        """Of each rule the rows that its conditions ask; None where they cannot be asked."""

    @property
    def rules(self) -> Collection[int]:
        """The rules that ask datasets."""
        return self._rules.keys()

    def asked(self, rule: int, group: int, moment: int) -> Answer | None:
        """Say whether the datasets let a rule hold in a group at a moment; None where that is not known."""
        held = self.held[rule]
        if held is None:
            return None
        form, spot = self._rules[rule], self._spot(rule, group)
        holds, until = True, NEVER_ENDS
        for sign, one in zip(form.datasets, held, strict=True):
            around = one.surroundings.around(spot, sign.metres)
            enough = len(around.at(moment)[0]) >= sign.count
            holds = holds and enough == (sign.kind == "has")
            until = min(until, around.changes_after(moment))
        return Answer(holds, until)

    def grounds(self, rule: int, group: int, moment: int, *, holds: bool) -> tuple[dict[str, Any], ...]:
        """Return what each condition says by which rows; where the rule does not hold, those that fail."""
        held, spot = self.held[rule], self._spot(rule, group)
        found = []
        for at, (sign, one) in enumerate(zip(self._rules[rule].datasets, held or [], strict=True)):
            ground = one.ground(at, sign, spot, moment)
            if holds or (ground["count"] >= sign.count) != (sign.kind == "has"):
                found.append(ground)
        return tuple(found)

    def _spot(self, rule: int, group: int) -> Spot:
        form = self._rules[rule]
        if form.together == "zone":
            return Spot(int(grid.from_stored(group)), form.level, form.level)
        return Spot(self._cells[form.together][group], MAX_LEVEL, form.level)


class LiveGate(DatasetGate):
    """The gate of the rules that are on: it asks the newest versions.

    Parameters
    ----------
    grounds
        Of the city's lake; without them no rule that asks a dataset begins to hold.
    rules, owners, streams
        The rules by number, whose they are, and the streams that they watch.

    """

    def __init__(
        self, grounds: Grounds | None, rules: Mapping[int, Rule], owners: Mapping[int, str], streams: Streams
    ) -> None:
        super().__init__(rules, streams)
        self._grounds = grounds
        self._askers = {number: asker_of(owners[number]) for number in self._rules}
        self._keys: dict[int, Any] = {}
        self.troubles: dict[int, Text | None] = {}
        """Of each rule why it cannot ask its datasets, None where it can."""

    def refresh(self) -> set[int]:
        """Take up versions that were published since, and return the rules whose rows may be others."""
        changed: set[int] = set()
        known: dict[tuple[Asker, DatasetSign], Any] = {}
        for number, rule in self._rules.items() if self._grounds is not None else ():
            asker = self._askers[number]
            for sign in rule.datasets:
                if (asker, sign) not in known:
                    known[asker, sign] = self._key(asker, sign)
            key = [known[asker, sign] for sign in rule.datasets]
            if key != self._keys.get(number):
                self._keys[number] = key
                self.held[number] = self._taken_up(number, rule)
                changed.add(number)
        return changed

    def _key(self, asker: Asker, sign: DatasetSign) -> Any:
        assert self._grounds is not None  # noqa: S101 -- only asked where there are some
        try:
            return self._grounds.key(asker, sign)
        except JingweiError as error:
            return str(error)

    def _taken_up(self, number: int, rule: Rule) -> list[Held] | None:
        assert self._grounds is not None  # noqa: S101 -- only asked where there are some
        self.troubles[number] = None
        try:
            return [self._grounds.held(self._askers[number], rule, at) for at in range(len(rule.datasets))]
        except JingweiError as error:
            log.warning("rule %s cannot ask its datasets: %s", number, error)
            self.troubles[number] = error.what
        except Exception:  # whatever is wrong with a dataset, the other rules are asked
            log.exception("the datasets of rule %s", number)
            self.troubles[number] = Text("数据集无法读取。", "The dataset could not be read.")
        return None
