"""Records of the same person or enterprise in several datasets, by probability and by people's decisions."""

from jingwei.matching import events, policy
from jingwei.matching.configuration import Configuration, read_configuration
from jingwei.matching.forgetting import forget_erased
from jingwei.matching.service import (
    Matching,
    Pair,
    Run,
    configure,
    decide,
    links,
    matching,
    matchings,
    pairs,
    run,
)

__all__ = [
    "Configuration",
    "Matching",
    "Pair",
    "Run",
    "configure",
    "decide",
    "events",
    "forget_erased",
    "links",
    "matching",
    "matchings",
    "pairs",
    "policy",
    "read_configuration",
    "run",
]
