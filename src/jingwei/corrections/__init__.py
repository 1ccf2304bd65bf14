"""Findings that become work: requests for corrections, their answers, and how they are closed."""

from jingwei.corrections import events, policy
from jingwei.corrections.following import Reviewer
from jingwei.corrections.service import (
    Answer,
    Correction,
    answer,
    correction,
    corrections,
    decide,
    request,
    withdraw,
)

__all__ = [
    "Answer",
    "Correction",
    "Reviewer",
    "answer",
    "correction",
    "corrections",
    "decide",
    "events",
    "policy",
    "request",
    "withdraw",
]
