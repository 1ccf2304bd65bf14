"""The forms in which bureaus hand over their files, each read into batches that lose no row.

`open_form` answers a `Reading`: its columns with their own names, the evidence of what the file left
unsaid (encoding, delimiter, header row ...), and its rows in batches of bounded size. Every row of the
source is either in a batch or among the faults of a batch, with the row number a person counts in the file.
"""

from jingwei.lake.forms.opening import digest, layers, likeliest_layer, open_form
from jingwei.lake.forms.reading import JSON, Batch, Evidence, Progress, Reading, RowFault

__all__ = [
    "JSON",
    "Batch",
    "Evidence",
    "Progress",
    "Reading",
    "RowFault",
    "digest",
    "layers",
    "likeliest_layer",
    "open_form",
]
