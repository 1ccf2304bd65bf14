"""The grid data container (网格大数据容器): facts addressed by object, place and time."""

from jingwei.lake.query import Rows, paged
from jingwei.lake.region import (
    Region,
    region_around_bounds,
    region_of_bounds,
    region_of_cell,
    region_of_geometry,
)
from jingwei.lake.schemas import Dataset, Place, Version
from jingwei.lake.service import Lake, Named

__all__ = [
    "Dataset",
    "Lake",
    "Named",
    "Place",
    "Region",
    "Rows",
    "Version",
    "paged",
    "region_around_bounds",
    "region_of_bounds",
    "region_of_cell",
    "region_of_geometry",
]
