"""Long work in the background: one at a time, its progress told to whoever listens."""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from jingwei.city import Stop
from jingwei.errors import JingweiError, NotFoundError
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from jingwei.city import Progress
    from jingwei.city.progress import Listener
    from jingwei.web.ending import Ending

log = logging.getLogger(__name__)

KEPT = 100
BEAT_SECONDS = 0.25
SILENCE_SECONDS = 15

State = Literal["running", "done", "failed", "stopped"]


@dataclass(slots=True)
class Job:
    """A piece of long work: where it stands, and what it ended with."""

    id: str
    title: Text
    starter: str
    about: str = ""
    state: State = "running"
    steps: dict[str, dict[str, Any]] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    changes: int = 0
    wish: threading.Event = field(default_factory=threading.Event)
    going: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.going.set()

    @property
    def held(self) -> bool:
        """Whether somebody asked it to pause."""
        return not self.going.is_set()

    def hold(self) -> None:
        """Ask the work to pause at its next step."""
        self.going.clear()
        self.changes += 1

    def go_on(self) -> None:
        """Let the work go on."""
        self.going.set()
        self.changes += 1

    def wait_while_held(self) -> None:
        """Called by the work between two steps: wait until it may go on, or is to stop."""
        while not self.wish.is_set() and not self.going.wait(BEAT_SECONDS):
            pass

    def tell(self, step: str, **what: Any) -> None:
        """Say where a step stands."""
        self.steps[step] = {"step": step, **what}
        self.changes += 1

    def listener(self) -> tuple[Listener, Stop]:
        """Return what a load tells its progress to, and what stops it: between two steps it heeds the job."""
        stop = Stop()

        def tell(progress: Progress) -> None:
            self.wait_while_held()
            if self.wish.is_set():
                stop.ask()
            self.tell(
                progress.source,
                title=progress.title,
                stage=progress.stage,
                share=progress.share,
                rows=progress.rows,
            )

        return tell, stop

    def as_json(self) -> dict[str, Any]:
        """Return what a listener is told."""
        return {
            "id": self.id,
            "title": self.title.as_json(),
            "state": self.state,
            "held": self.held and self.state == "running",
            "steps": list(self.steps.values()),
            "result": self.result,
            "problem": self.problem,
        }


class Jobs:
    """The long works of one application, the newest kept."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._mutex = threading.Lock()

    def start(
        self, title: Text, starter: str, work: Callable[[Job], dict[str, Any] | None], about: str = ""
    ) -> Job:
        """Begin `work` in a thread of its own; it tells the job its steps and heeds its `wish` to stop.

        `starter` is the identifier of who may follow and stop it, `about` names what is worked on.
        """
        job = Job(secrets.token_urlsafe(9), title, starter, about)
        with self._mutex:
            self._jobs[job.id] = job
            while len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)
        threading.Thread(target=_run, args=(job, work), name=f"job-{job.id}", daemon=True).start()
        return job

    def all(self) -> list[Job]:
        """Return the jobs that are kept, the oldest first."""
        with self._mutex:
            return list(self._jobs.values())

    def running(self, about: str) -> Job | None:
        """Return the newest job under way that works on something, if any."""
        return next(
            (job for job in reversed(self.all()) if job.about == about and job.state == "running"), None
        )

    def get(self, job_id: str) -> Job:
        """Return a job.

        Raises
        ------
        NotFoundError
            There is none, or it is long over.

        """
        with self._mutex:
            job = self._jobs.get(job_id)
        if job is None:
            raise NotFoundError(Text("没有这项任务", "There is no such job"), where={"job": job_id})
        return job


def _run(job: Job, work: Callable[[Job], dict[str, Any] | None]) -> None:
    try:
        job.result = work(job)
        job.state = "stopped" if job.wish.is_set() else "done"
    except JingweiError as error:
        job.problem = {
            "code": error.code,
            "what": error.what.as_json(),
            "mend": error.mend.as_json() if error.mend else None,
        }
        job.state = "stopped" if job.wish.is_set() else "failed"
    except Exception:
        log.exception("job %s", job.id)
        words = Text("服务器出了意外", "Something unexpected went wrong in the server")
        job.problem = {"code": "internal", "what": words.as_json(), "mend": None}
        job.state = "failed"
    job.changes += 1


async def follow(job: Job, ending: Ending) -> AsyncIterator[bytes]:
    """Yield server-sent events: the job as it stands whenever it changed, and at its or the server's end."""
    seen, silent = -1, 0.0
    while not ending.begun:
        changes, state = job.changes, job.state
        if changes != seen:
            seen, silent = changes, 0.0
            body = json.dumps(job.as_json(), ensure_ascii=False)
            yield f"id: {seen}\nevent: progress\ndata: {body}\n\n".encode()
        elif silent >= SILENCE_SECONDS:
            silent = 0.0
            yield b": still here\n\n"
        if state != "running":
            return
        await asyncio.sleep(BEAT_SECONDS)
        silent += BEAT_SECONDS
