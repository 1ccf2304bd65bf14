"""Keeping a city: copies that are whole, and taking what is in it elsewhere."""

from jingwei.keeping.backup import Backup, KeysChoice, back_up
from jingwei.keeping.restoring import Restored, check_backup, read_backup, restore

__all__ = ["Backup", "KeysChoice", "Restored", "back_up", "check_backup", "read_backup", "restore"]
