"""The record store: SQLite on one machine, PostgreSQL when a city outgrows it."""

from jingwei.records.base import Base, Json, UtcDateTime, now_utc
from jingwei.records.database import Records, open_records
from jingwei.records.kept import WhileUnchanged
from jingwei.records.prepared import Prepared

__all__ = ["Base", "Json", "Prepared", "Records", "UtcDateTime", "WhileUnchanged", "now_utc", "open_records"]
