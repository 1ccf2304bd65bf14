"""Who asks: every query and every change names its asker."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asker:
    """A person or program on whose behalf something is asked or done."""

    id: str
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    departments: frozenset[str] = field(default_factory=frozenset)

    @property
    def scope(self) -> str:
        """What caches of answers are keyed by: two askers of one scope may be given the same bytes."""
        return ",".join(sorted(self.roles)) + "|" + ",".join(sorted(self.departments))


def local_person() -> Asker:
    """Return the one person at this machine, who may see and do all."""
    return Asker(id="local", name="本机用户", roles=frozenset({"local"}))
