"""Keeping a city: copies that are whole, and taking what is in it elsewhere."""

from jingwei.keeping.backup import Backup, KeysChoice, back_up
from jingwei.keeping.exporting import Export, export_city
from jingwei.keeping.importing import check_export, import_city
from jingwei.keeping.restoring import Restored, check_backup, read_backup, restore

__all__ = [
    "Backup",
    "Export",
    "KeysChoice",
    "Restored",
    "back_up",
    "check_backup",
    "check_export",
    "export_city",
    "import_city",
    "read_backup",
    "restore",
]
