"""Routes whose answer has no end: who asks every route must leave them out."""

from __future__ import annotations

ENDLESS = {"/events": "tests/web/test_events.py", "/sense/live": "tests/web/test_sta.py"}
"""Paths below `/api`, and the tests that follow them."""


PATIENCE = 120
"""Seconds after which an answer to whatever the document allows is not waited for; a busy machine is slow."""


def ends(path):
    """Tell whether the answer of a path of the document comes to an end."""
    return path.removeprefix("/api") not in ENDLESS
