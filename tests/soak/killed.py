"""What the long rounds kill: pieces of work that count their steps, in a process of their own."""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import timedelta

import numpy as np
from sqlalchemy import event
from sqlalchemy.engine import Engine

from jingwei import grid
from jingwei.access import local_person
from jingwei.city import load_pack, loader, open_city, read_manifest
from jingwei.keeping import back_up
from jingwei.lake import distinct, sorting, writing
from jingwei.lake.compacting import compact
from jingwei.lake.forms import delimited, spool
from jingwei.lake.retention import drop_old
from jingwei.records import now_utc

WRITTEN = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"}
grid.encode(np.zeros(2), np.zeros(2), 32)  # loads its compiled loops once for all forks


class Steps:
    """Counts the steps of a process; kills it at one, or says when that one is reached."""

    def __init__(self, pipe, at, *, here):
        self.pipe, self.at, self.here = pipe, at, here
        self.times, self.on = [], False

    def start(self):
        for name in ("before_cursor_execute", "commit"):
            event.listen(Engine, name, lambda *_: self.step())
        sys.addaudithook(self.heard)
        self.on = True
        self.times.append(time.monotonic())

    def heard(self, what, told):
        writes = what == "open" and isinstance(told[2], int) and told[2] & (os.O_WRONLY | os.O_RDWR)
        if writes or what in WRITTEN:
            self.step()

    def step(self):
        if not self.on:
            return
        self.times.append(time.monotonic())
        if len(self.times) == self.at:
            if self.here:
                os.kill(os.getpid(), signal.SIGKILL)
            self.pipe.send("reached")


def as_large_tables():
    """Have tables of thousands of rows go the way of those of millions."""
    delimited.WORTH_SPOOLING, spool.PART, spool.GLANCED = 0, 60_000, 50
    loader.BATCH_ROWS = 500
    sorting.PIECE_ROWS, sorting.IN_MEMORY, sorting.MANY_KEYS = 1_000, 50_000, 500
    writing.SLICED, writing.GROUPS = 1_000, ((10**9, 64),)
    distinct.COUNTED = 1_000


def work(what, pack, home, copy, pipe, at, here):
    as_large_tables()
    steps = Steps(pipe, at, here=here)
    with open_city(home, create=True) as city:
        steps.start()
        if what == "load":
            load_pack(city, read_manifest(pack), pack, None, local_person())
        elif what == "backup":
            back_up(city, copy, keys="inside", actor="soak")
        elif what == "compact":
            for name in (one.id for one in city.lake.catalogue()):
                compact(city.lake, name, zone="Asia/Shanghai", actor="soak", least=1)
        else:
            drop_old(city.lake, actor="soak", now=now_utc() + timedelta(days=9))
        steps.on = False
    steps.times.append(time.monotonic())
    pipe.send(steps.times)
