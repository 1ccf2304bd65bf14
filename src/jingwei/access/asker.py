"""Who asks: every query and every change names its asker."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Asker:
    """A person or program on whose behalf something is asked or done, and what for."""

    id: str
    name: str
    roles: frozenset[str] = field(default_factory=frozenset)
    departments: frozenset[str] = field(default_factory=frozenset)
    duties: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    """Which role is held in which department; the department is empty for the whole city."""
    only: frozenset[str] | None = None
    """The actions to which a token is limited; all that the person may do, where there is none."""
    purpose: str = ""
    """What it is asked for, as the asker states it; policies may require one."""

    @property
    def scope(self) -> str:
        """What caches of answers are keyed by: two askers of one scope may be given the same bytes."""
        duties = sorted(f"{role}@{department}" for role, department in self.duties)
        only = ["*"] if self.only is None else sorted(self.only)
        parts = (sorted(self.roles), sorted(self.departments), duties, only, [self.purpose])
        return "|".join(",".join(part) for part in parts)


def local_person() -> Asker:
    """Return the one person at this machine, who may see and do all."""
    return Asker(id="local", name="本机用户", roles=frozenset({"local"}))
