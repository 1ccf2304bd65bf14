"""What can be done with cases: report, act, look, and let the clock speak.

Every change goes through a `Desk`. It asks the policies, checks fields and rules, appends the event, lets the
event happen to the case, and writes both in the caller's transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from jingwei import ledger
from jingwei.access.policy import Decision, RefusedError
from jingwei.cases import ground as the_ground
from jingwei.cases import guards, photos, policy, words
from jingwei.cases import regime as the_regime
from jingwei.cases.calendar import instant, moment
from jingwei.cases.case import Case, decode
from jingwei.cases.clocks import next_warning
from jingwei.cases.errors import (
    BadFieldError,
    ChangedMeanwhileError,
    NotAllowedNowError,
    UnknownCaseError,
)
from jingwei.cases.events import WORDS
from jingwei.cases.fields import check_fields
from jingwei.cases.lifecycle import (
    DEPARTMENT,
    STATES,
    SYSTEM,
    TOLD,
    TRANSITIONS,
    Transition,
    transitions_from,
)
from jingwei.cases.policy import THE_SYSTEM
from jingwei.cases.replay import PREFIX, apply, begin
from jingwei.cases.schemas import FROM_OUTSIDE, SOURCES, History, Report
from jingwei.cases.store import (
    BATCH,
    CASES,
    OPEN,
    SUBJECT,
    by_day,
    case_of_source,
    insert_cases,
    next_numbers,
    not_known,
    open_case,
    save,
    save_with,
    set_alarms,
    timeline,
)
from jingwei.records import now_utc
from jingwei.records.database import run_as_one
from jingwei.words import Text

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.cases.ground import Ground
    from jingwei.cases.regime import Regime
    from jingwei.records.database import Statement


class Desk:
    """Where cases are taken in and moved on, by what the city has decided and the policies allow.

    Parameters
    ----------
    policies
        Gives the policies in force.

    """

    def __init__(self, policies: Callable[[], Policies]) -> None:
        self.policies = policies
        self._guard = threading.Lock()
        self._regime: tuple[tuple[int, ...], Regime] | None = None
        self._ground: tuple[Any, Ground] | None = None

    # what is in force

    def regime(self, session: Session) -> Regime:
        """Return what the city has decided, read anew where a version is."""
        return self._in_force(session, the_regime.versions(session))

    def _in_force(self, session: Session, numbers: tuple[int, ...]) -> Regime:
        with self._guard:
            if self._regime is None or self._regime[0] != numbers:
                self._regime = (numbers, the_regime.load(session))
            return self._regime[1]

    def ground(self, session: Session) -> Ground:
        """Return the unit grids in force, read anew where they changed."""
        version = the_ground.version(session)
        with self._guard:
            if self._ground is None or self._ground[0] != version:
                metres = self._regime[1].settings.border_metres if self._regime else 5
                self._ground = (version, the_ground.load_ground(session, metres))
            return self._ground[1]

    # reporting

    def report(self, session: Session, asker: Asker, report: Report) -> Case:
        """Take a report into the pool; return its case, the one that it has already if it came before.

        Raises
        ------
        UnknownTypeError, BadFieldError, RefusedError
            Nothing is kept then.

        """
        step = TRANSITIONS["report_from_outside" if report.source in FROM_OUTSIDE else "report"]
        return self._take_in(session, asker, report, step)

    def report_handled(self, session: Session, asker: Asker, report: Report) -> Case:
        """Take in what a collector put right on the spot (自行处置); it is counted apart."""
        return self._take_in(session, asker, report, TRANSITIONS["self_handle"])

    def _take_in(self, session: Session, asker: Asker, report: Report, step: Transition) -> Case:
        regime = self.regime(session)
        data, written = self._report_data(session, regime, report, step)
        known = case_of_source(session, report)
        if known is not None:
            return known
        if asker.id != THE_SYSTEM.id:
            about = begin("")
            about.state, about.kind, about.type = str(step.target), report.kind, report.type
            about.source, about.area = report.source, data.get("area", "")
            self.policies().check(asker, step.policy_action, policy.resource_of(about))
        when = report.at or now_utc()
        (number,) = next_numbers(session, regime, when, 1)
        case = begin(number)
        data |= _head(case, step, step.target, when)
        if report.reporter or report.source in ("public", "collector"):
            data["reporter"] = report.reporter or asker.id
        rows = _digest_words(case, 1, written, data)
        photos.claim(session, asker, number, 1, data)
        self._happen(session, asker, case, step, data)
        insert_cases(session, regime, [case])
        words.keep(session, rows)
        return case

    def _report_data(
        self, session: Session, regime: Regime, report: Report, step: Transition
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """Return the data of a report's event, and what was written."""
        if report.source not in SOURCES:
            raise BadFieldError(
                "source", Text(f"没有来源 {report.source[:40]}", f"unknown source {report.source[:40]}.")
            )
        regime.catalogue.get(report.kind, report.type)
        given: dict[str, Any] = {"kind": report.kind, "type": report.type, "source": report.source}
        given |= {"description": report.description, "component": report.component, "photos": report.photos}
        if report.before:
            given["before"] = report.before
        if report.lon is not None and report.lat is not None:
            given["place"] = (report.lon, report.lat)
        if step.action == "self_handle":
            given.pop("source")
        data = check_fields(step, given)
        data["source"] = report.source
        written = {name: data.pop(name) for name in WORDS if name in data}
        self._locate(session, data)
        if report.area and not data.get("area"):
            data["area"] = report.area
        if report.source_key:
            data["source_key"] = report.source_key[:200]
        if step.action != "self_handle":
            data |= _limits(regime, str(step.target)) | {"overall": _plain(regime.settings.overall)}
        return data, written

    def _locate(self, session: Session, data: dict[str, Any], ground: Ground | None = None) -> None:
        """Put in place of a point what is known of it."""
        place = data.pop("place", None)
        if place is not None:
            found = (ground or self.ground(session)).locate(*place)
            data |= {"cell": str(found.cell), "level": found.level, "area": found.area, "where": found.where}

    # acting

    def act(
        self,
        session: Session,
        asker: Asker,
        number: str,
        action: str,
        fields: Mapping[str, Any] | None = None,
        *,
        seen: int | None = None,
        at: datetime | None = None,
    ) -> Case:
        """Take a step with a case; return the case after it.

        Parameters
        ----------
        session, asker
            On whose behalf.
        number, action, fields
            Which case, which step of the table, and what goes with it.
        seen
            The step of the case that the asker saw; not checked if not given.
        at
            When it happened, for what was done offline; now if not given.

        Raises
        ------
        UnknownCaseError, ChangedMeanwhileError, NotAllowedNowError, RefusedError, GuardError
            Nothing has changed then.
        MissingFieldError, BadFieldError
            Nothing has changed then.

        """
        case, regime = self._open(session, number)
        step = TRANSITIONS.get(action)
        if step is None or not self._allowed(asker, step, case, fields or {}):
            self._check_readable(asker, case)
        if seen is not None and seen != case.step:
            self._check_unchanged(session, case, seen)
        if step is None or case.state not in step.sources:
            raise self._not_now(asker, case, action, step)
        clean = check_fields(step, fields or {})
        if not self._allowed(asker, step, case, clean):
            raise self._refused(asker, step, case, clean)
        when = max(at or now_utc(), moment(max(case.at.values())))
        main = self._main(session, clean)
        attempt = guards.Attempt(
            case, step, asker, clean, regime, instant(when), lambda: self._alone(asker, case), main
        )
        guards.check(attempt)
        before = case.step
        save_with(session, regime, case, before, self._step(session, attempt, when))
        if step.action in ("merge", "join_main", "separate"):
            self._tell_main(session, regime, case, step, main, when)
        return case

    def _open(self, session: Session, number: str) -> tuple[Case, Regime]:
        """Return a case that nobody else changes until this transaction is over, and what is in force."""
        found = open_case(session, number)
        if found is None:
            raise UnknownCaseError(number)
        body, numbers = found
        return decode(body), self._in_force(session, the_regime.told_versions(numbers))

    def _check_readable(self, asker: Asker, case: Case) -> None:
        if asker.id == THE_SYSTEM.id or asker.id in case.followers:
            return
        policies = self.policies()
        if policies.decide(asker, policy.READ, policy.resource_of(case)).allowed:
            return
        for part in case.parts:
            if part.department in asker.departments:
                return
        raise UnknownCaseError(case.number)

    def _allowed(self, asker: Asker, step: Transition, case: Case, fields: Mapping[str, Any]) -> bool:
        """Say whether the policies let an asker take a step; what only the clock does is the clock's."""
        if step.axis == "system" or asker.id == THE_SYSTEM.id:
            return asker.id == THE_SYSTEM.id and SYSTEM in step.roles
        resource = policy.resource_of(case, step, fields, asker)
        return self.policies().decide(asker, step.policy_action, resource).allowed

    def _refused(self, asker: Asker, step: Transition, case: Case, fields: Mapping[str, Any]) -> RefusedError:
        if step.axis == "system":
            return RefusedError(step.policy_action, Decision(allowed=False, rules=(), annotations=()))
        resource = policy.resource_of(case, step, fields)
        return RefusedError(step.policy_action, self.policies().decide(asker, step.policy_action, resource))

    def _alone(self, asker: Asker, case: Case) -> bool:
        """Say whether the separation of duties is waived for an asker."""
        if asker.id == THE_SYSTEM.id:
            return True
        return self.policies().decide(asker, policy.ALONE, policy.resource_of(case)).allowed

    def _check_unchanged(self, session: Session, case: Case, seen: int) -> None:
        """Raise if anybody acted since a step; warnings and reports that joined change nothing."""
        told = [one for one in timeline(session, case.number) if one.step > seen]
        if not told or any(one.was != one.to or TRANSITIONS[one.action].axis != "system" for one in told):
            raise self._changed(session, case, seen)

    def _changed(self, session: Session, case: Case, seen: int) -> ChangedMeanwhileError:
        since = [
            {
                "step": one.step,
                "action": one.action,
                "at": one.at,
                "actor": one.actor,
                "was": one.was,
                "to": one.to,
            }
            for one in timeline(session, case.number)
            if one.step > seen
        ]
        return ChangedMeanwhileError(case.number, seen, case.step, since)

    def _not_now(self, asker: Asker, case: Case, action: str, step: Transition | None) -> NotAllowedNowError:
        says = step.says if step else Text(action[:40], action[:40])
        possible = self.possible(asker, case)
        return NotAllowedNowError(case.number, says, case.stands.says, possible)

    def possible(self, asker: Asker, case: Case, regime: Regime | None = None) -> list[dict[str, Any]]:
        """Return the steps that lead on from where a case is: whose they are, and whether the asker may.

        With the rules in force each also tells what stands against it now, whatever is given with it.
        """
        policies = self.policies()
        found = []
        for one in transitions_from(case.state):
            if one.axis == "system":
                continue
            fields = {"department": next(iter(asker.departments), None)}
            may = policies.decide(
                asker, one.policy_action, policy.resource_of(case, one, fields, asker)
            ).allowed
            told = {
                "action": one.action, "says": one.says.as_json(), "roles": list(one.roles),
                "needs": list(one.needs), "takes": list(one.takes), "may": may,
            }  # fmt: skip
            if regime is not None:
                why = guards.hindrance(self._looking(asker, case, one, regime))
                told["hindered"] = why.as_json() if why else None
            found.append(told)
        return found

    def _looking(self, asker: Asker, case: Case, one: Transition, regime: Regime) -> guards.Attempt:
        """Return a step as somebody would take it now, with nothing given yet."""
        now = instant(now_utc())
        return guards.Attempt(case, one, asker, {}, regime, now, lambda: self._alone(asker, case))

    def _main(self, session: Session, fields: Mapping[str, Any]) -> Case | None:
        """Return the other case that a step names."""
        number = fields.get("main") or fields.get("other")
        if number is None:
            return None
        body = session.connection().execute(OPEN, {"number": number}).scalar()
        return decode(body) if body is not None else None

    def _step(self, session: Session, attempt: guards.Attempt, when: datetime) -> list[Statement]:
        """Let a step happen that may; return the statements by which its event and its words are kept."""
        case, step, regime = attempt.case, attempt.step, attempt.regime
        target = {None: case.state, "previous": case.before}.get(step.target, step.target)
        data = _head(case, step, target, when) | dict(attempt.fields)
        written = {name: data.pop(name) for name in WORDS if name in data}
        rows = _digest_words(case, case.step + 1, written, data)
        if "type" in data or "kind" in data:
            regime.catalogue.get(data.get("kind", case.kind), data.get("type", case.type))
        self._locate(session, data)
        if target != case.state:
            data |= _limits(regime, str(target), case)
        data |= _extras(attempt, when)
        photos.claim(session, attempt.asker, case.number, case.step + 1, data)
        told = self._telling(session, attempt.asker, case, step, data)
        if step.action == "redact":
            words.forget(session, case.number, _told_by_reporters(session, case.number))
        return [told, *words.keeping(session, rows)]

    def _happen(
        self, session: Session, asker: Asker, case: Case, step: Transition, data: dict[str, Any]
    ) -> None:
        run_as_one(session.connection(), [self._telling(session, asker, case, step, data)])

    def _telling(
        self, session: Session, asker: Asker, case: Case, step: Transition, data: dict[str, Any]
    ) -> Statement:
        """Let an event happen to a case; return the statement that appends it."""
        type_ = PREFIX + step.event
        before = concerned(case)
        apply(case, type_, asker.id, data)
        data |= _concerns(before, concerned(case))
        return ledger.telling(session, type_, actor=asker.id, subject=SUBJECT + case.number, data=data)

    def _tell_main(
        self,
        session: Session,
        regime: Regime,
        case: Case,
        step: Transition,
        main: Case | None,
        when: datetime,
    ) -> None:
        """Let the main case know that a report joined it, or left it."""
        followers = [one for one in case.followers if one]
        if step.action in ("merge", "join_main") and main is not None:
            told, new = TRANSITIONS["join"], [one for one in followers if one not in main.followers]
        else:
            left = ledger.events_of(session, SUBJECT + case.number, limit=1000)
            number = next(one.data["main"] for one in left if one.data and "main" in one.data)
            main = decode(session.scalars(select(CASES.c.body).where(CASES.c.number == number)).one())
            told, new = TRANSITIONS["leave"], [one for one in followers if one != main.reporter]
        at = max(when, moment(max(main.at.values())))
        data = _head(main, told, main.state, at) | {"other": case.number, "followers": new}
        before = main.step
        self._happen(session, THE_SYSTEM, main, told, data)
        save(session, regime, main, before)

    # looking

    def get(self, session: Session, asker: Asker, number: str) -> Case:
        """Return a case.

        Raises
        ------
        UnknownCaseError
            Where there is none, or the asker may not know of it.

        """
        body = session.scalar(select(CASES.c.body).where(CASES.c.number == number))
        if body is None:
            raise UnknownCaseError(number)
        case = decode(body)
        self._check_readable(asker, case)
        return case

    def may_read(self, session: Session, asker: Asker, number: str) -> bool:
        """Say whether there is such a case and the asker may know of it."""
        try:
            self.get(session, asker, number)
        except UnknownCaseError:
            return False
        return True

    # bulk import and the clock

    def import_many(self, session: Session, asker: Asker, histories: Sequence[History]) -> list[str]:
        """Take in cases as they stood in another system; return their numbers. Those known already stay.

        One question to the policies serves for all: who may keep the rules of cases may import them.
        """
        regime, ground = self.regime(session), self.ground(session)
        fresh = not_known(session, histories)
        cases: list[Case] = []
        told: list[tuple[str, dict[str, Any]]] = []
        kept: list[dict[str, Any]] = []
        for when, group in by_day(fresh, regime):
            for number, one in zip(next_numbers(session, regime, when, len(group)), group, strict=True):
                case = begin(number)
                data, rows = self._history_data(session, regime, ground, case, one)
                apply(case, "case.imported", asker.id, data)
                data |= _concerns(concerned(case))
                cases.append(case)
                told.append((SUBJECT + number, data))
                kept += rows
        ledger.append_many(session, "case.imported", told, actor=asker.id)
        if cases:
            insert_cases(session, regime, cases)
        words.keep(session, kept)
        return [case.number for case in cases]

    def _history_data(
        self, session: Session, regime: Regime, ground: Ground, case: Case, one: History
    ) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        report = one.report
        when = report.at or now_utc()
        regime.catalogue.get(report.kind, report.type)
        data = _head(case, TRANSITIONS["imported"], one.state, when)
        data |= {"state": one.state, "kind": report.kind, "type": report.type, "source": report.source}
        data |= {"times": {name: time.isoformat() for name, time in one.times.items()}}
        extra = {
            "source_key": report.source_key, "department": one.department, "late": one.late,
            "component": report.component,
        }  # fmt: skip
        data |= {name: value for name, value in extra.items() if value is not None}
        if report.lon is not None and report.lat is not None:
            data["place"] = (report.lon, report.lat)
        self._locate(session, data, ground)
        if report.area:
            data["area"] = report.area
        data |= {"limit": list(one.limit)} if one.limit else _limits(regime, one.state)
        if STATES[one.state].stage and "limit" not in data:
            data["limit"] = _plain(regime.settings.overall)  # nobody told how long the handling may take
        data |= {"overall": _plain(regime.settings.overall)}
        described = words.check_words("description", report.description)
        return data, _digest_words(case, 1, {"description": described} if described else {}, data)

    def tick(self, session: Session, now: datetime | None = None, *, limit: int = BATCH) -> int:
        """Let the clock speak: warn who runs out of time, resume what was suspended; return how many events.

        Each warning is one event, also where several were missed while the system stood still.
        """
        when = now or now_utc()
        instant_ = instant(when)
        question = select(CASES.c.body).where(CASES.c.alarm <= instant_).order_by(CASES.c.alarm).limit(limit)
        regime = self.regime(session)
        count = 0
        silent = []
        for body in session.scalars(question.with_for_update(skip_locked=True)).all():
            case = decode(body)
            before = case.step
            if case.resume is not None and case.resume <= instant_:
                self._system_step(session, regime, case, "resume", {}, when)
                count += 1
            count += self._warn(session, regime, case, instant_, when)
            save(session, regime, case, before)
            if case.step == before:
                silent.append(case)
        set_alarms(session, regime, silent)
        return count

    def hear(self, session: Session, number: str, fields: dict[str, Any], when: datetime) -> bool:
        """Let a case, or the one into which it was merged, hear how its alarm goes on.

        Parameters
        ----------
        session, number
            Of which case.
        fields
            What the step `hear` tells.
        when
            When that happened.

        Returns
        -------
        bool
            Whether the case is open; one that is over hears nothing.

        """
        case, regime = self._open(session, number)
        if case.main is not None:
            return self.hear(session, case.main, fields, when)
        if case.state not in TRANSITIONS["hear"].sources:
            return False
        before = case.step
        self._system_step(session, regime, case, "hear", fields, when)
        save(session, regime, case, before)
        return True

    def _warn(self, session: Session, regime: Regime, case: Case, now: int, when: datetime) -> int:
        count = 0
        for index, turn in enumerate(case.turns):
            while (due := next_warning(turn, regime.calendar, regime.settings.shares)) and due[0] <= now:
                fields = {"stage": turn.stage, "share": due[1]}
                self._system_step(session, regime, case, "warn", fields, when, turn=index)
                count += 1
        return count

    def _system_step(
        self,
        session: Session,
        regime: Regime,
        case: Case,
        action: str,
        fields: dict[str, Any],
        when: datetime,
        **more: Any,
    ) -> None:
        step = TRANSITIONS[action]
        target = case.before if step.target == "previous" else case.state
        at = max(when, moment(max(case.at.values())))
        data = _head(case, step, target, at) | fields | more
        if target != case.state:
            data |= _limits(regime, target, case)
        self._happen(session, THE_SYSTEM, case, step, data)


def _told_by_reporters(session: Session, number: str) -> list[int]:
    """Return the steps by which reporters, or others for them, said what a case is about."""
    told = ledger.events_of(session, SUBJECT + number, limit=1000)
    return [one.data["step"] for one in told if one.data and one.data["action"] in TOLD]


def _head(case: Case, step: Transition, target: str | None, when: datetime) -> dict[str, Any]:
    """Return what the events of all steps tell."""
    return {
        "action": step.action,
        "step": case.step + 1,
        "at": when.isoformat(),
        "was": case.state,
        "to": target,
    }


def concerned(case: Case) -> tuple[set[str], set[str]]:
    """Return the departments and the people that a case is with."""
    departments = {case.department, *(part.department for part in case.open_parts())}
    people = {case.reporter, case.collector, case.handler}
    return {one for one in departments if one}, {one for one in people if one}


def _concerns(*with_whom: tuple[set[str], set[str]]) -> dict[str, list[str]]:
    """Return whom an event concerns: who had the case before it, and who has it then."""
    departments, people = (sorted(set().union(*sides)) for sides in zip(*with_whom, strict=True))
    told = {"departments": departments, "people": people}
    return {name: listed for name, listed in told.items() if listed}


def _plain(limit: Any) -> list[Any]:
    return [limit.unit, limit.amount]


def _limits(regime: Regime, target: str, case: Case | None = None) -> dict[str, Any]:
    """Return the limit of the stage that a state begins, if it has one."""
    stage = STATES[target].stage
    if stage is None:
        return {}
    if stage == "handle":
        return {"limit": _plain(case.limit)} if case is not None and case.limit is not None else {}
    return {"limit": _plain(regime.settings.limit(stage))}


def _extras(attempt: guards.Attempt, when: datetime) -> dict[str, Any]:
    """Return what the event of a step tells beyond its fields."""
    case, regime, action = attempt.case, attempt.regime, attempt.step.action
    if action == "register":
        return {"handling": _plain(regime.rules[attempt.fields["rule"]].limit)}
    if action in ("dispatch", "redispatch", "invite") and case.limit is not None:
        return {"co_limit": _plain(case.limit)}
    if action in ("reopen", "separate"):
        return {"overall": _plain(regime.settings.overall)}
    if action in ("ask_extension", "ask_suspension") and DEPARTMENT in attempt.asker.roles:
        return {"supported": True}
    if action == "suspend":
        petition = case.asked("suspension")
        days = petition.days if petition else 0
        return {"until": (when + timedelta(days=days)).isoformat()}
    return {}


def _digest_words(
    case: Case, step: int, written: Mapping[str, str], data: dict[str, Any]
) -> list[dict[str, Any]]:
    rows = []
    for name, text in written.items():
        row, data[name] = words.new_words(case.number, step, name, text)
        rows.append(row)
    return rows
