"""Who may follow which events of the log: one rule for pages, subscribers and brokers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from jingwei.access.policy import Resource

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from jingwei.access import Asker
    from jingwei.access.policy import Policies
    from jingwei.lake import Lake
    from jingwei.ledger import Entry


def is_shown(policies: Policies, lake: Lake, asker: Asker, entry: Entry) -> bool:
    """Say whether an asker may follow an event.

    Events of a dataset are shown to whom the dataset is listed; all others by the policies for events. One
    that concerns several people or departments, or leads from one state to another, is shown to whom it may
    be for any of them.
    """
    subject = entry.subject or ""
    part = entry.type.partition(".")[0]
    if part == "dataset" and subject.startswith("dataset/"):
        dataset = lake.resource(subject.removeprefix("dataset/"))
        return dataset is not None and lake.views.decide(policies, asker, "dataset.list", dataset).allowed
    attributes: dict[str, Any] = {"type": entry.type, "part": part, "subject": subject}
    return any(
        policies.decide(asker, "event.follow", Resource("Event", "", attributes | more)).allowed
        for more in _concerns(entry, subject)
    )


def _concerns(entry: Entry, subject: str) -> Iterator[dict[str, str]]:
    """Yield in turn what policies may be asked by: nothing, each person, each department, each state."""
    yield {"person": subject} if subject.startswith("person/") else {}
    data = entry.data or {}
    for name, key in (("person", "people"), ("department", "departments")):
        told = data.get(key)
        yield from ({name: one} for one in (told if isinstance(told, list) else ()) if isinstance(one, str))
    for key in ("was", "to"):
        if isinstance(data.get(key), str):
            yield {"state": data[key]}


def wanted(entry: Entry, types: Collection[str]) -> bool:
    """Say whether an event is of one of the types, or parts, that a follower names; of any, if none."""
    return not types or entry.type in types or entry.type.partition(".")[0] in types
