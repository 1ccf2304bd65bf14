"""Replaying recorded readings into a city through its front door, as devices would send them.

Stations come as SensorThings bodies (JSON), readings as Parquet with the columns `datastream_id`, `time_ms`
(UTC) and `result`; `properties.replay_datastream_id` of a Datastream says which are its own. What was
replayed before is recognised and changes nothing.
"""

from __future__ import annotations

import http.client
import json
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from jingwei.errors import BadRequestError, JingweiError
from jingwei.lake.datums import to_wgs84
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

LINK = "replay_datastream_id"
ROWS = 20_000
"""Readings of one request."""
COLUMNS = ("datastream_id", "time_ms", "result")
PATIENCE = 120


class ReplayError(JingweiError):
    """The city did not take in what was replayed."""

    code = "replay"
    status = 502

    def __init__(self, address: str, status: int, said: str) -> None:
        super().__init__(
            Text(f"{address} 未接收（{status}）：{said}", f"{address} did not take it ({status}): {said}"),
            where={"address": address, "status": status},
        )


class NotReplayableError(BadRequestError):
    """A file is not of the form that is replayed."""

    code = "replay-file"

    def __init__(self, path: Path, why: Text) -> None:
        super().__init__(
            Text(f"{path} 不能回放：{why.zh}", f"{path} cannot be replayed: {why.en}"),
            where={"file": str(path)},
        )


class Door:
    """One connection to the SensorThings service of a city.

    Parameters
    ----------
    root
        The address of the service, such as `http://localhost:8000/sta/v1.1`.
    token
        By which to sign in; none for an open city.

    """

    def __init__(self, root: str, token: str | None = None) -> None:
        self.root = root.rstrip("/")
        parts = urlsplit(self.root)
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=PATIENCE)
        self._path = parts.path
        self._headers = {"Content-Type": "application/json"}
        if token is not None:
            self._headers["Authorization"] = f"Bearer {token}"

    def ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """Return the body of an answer.

        Raises
        ------
        ReplayError
            If the city refuses, or cannot be reached.

        """
        try:
            self._connection.request(method, f"{self._path}/{path}", body, self._headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise ReplayError(self.root, 0, str(error)) from error
        if answer.status >= 300:
            raise ReplayError(self.root, answer.status, said[:300].decode("utf-8", "replace"))
        return said

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def stations_of(path: Path) -> list[dict[str, Any]]:
    """Read SensorThings bodies.

    Raises
    ------
    NotReplayableError

    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise NotReplayableError(path, Text("不是 JSON", "it is no JSON")) from error
    listed = found if isinstance(found, list) else [found]
    if not all(isinstance(one, dict) and "Datastreams" in one for one in listed):
        raise NotReplayableError(path, Text("不含 Datastreams", "it holds no Datastreams"))
    return listed


def placed(stations: list[dict[str, Any]], system: str) -> list[dict[str, Any]]:
    """Return stations with their points in WGS84; `system` is the one in which they are told."""
    return [
        {**one, "Locations": [_placed(place, system) for place in one.get("Locations", [])]}
        for one in stations
    ]


def _placed(place: dict[str, Any], system: str) -> dict[str, Any]:
    point = place["location"]
    first, second = point["coordinates"][:2]
    lon, lat = to_wgs84(first, second, system)
    at = [round(float(lon), 9), round(float(lat), 9), *point["coordinates"][2:]]
    told = {**place.get("properties", {}), "crs_of_source": system}
    return {**place, "location": {**point, "coordinates": at}, "properties": told}


def streams_of(door: Door) -> dict[int, int]:
    """Return the streams of the city that were replayed before: number in the files to number in the city."""
    found: dict[int, int] = {}
    path: str | None = "Datastreams?" + urlencode(
        {"$select": "id,properties", "$top": "1000", "$orderby": "id"}
    )
    while path:
        page = json.loads(door.ask("GET", path))
        for one in page["value"]:
            number = (one.get("properties") or {}).get(LINK)
            if isinstance(number, int):
                found[number] = one["@iot.id"]
        following = page.get("@iot.nextLink")
        path = None if following is None else following[len(door.root) + 1 :]
    return found


def make_streams(door: Door, stations: list[dict[str, Any]]) -> dict[int, int]:
    """Create the stations that the city does not have; return its streams as `streams_of`."""
    known = streams_of(door)
    for one in stations:
        own = {(stream.get("properties") or {}).get(LINK) for stream in one["Datastreams"]}
        if not own <= set(known):
            door.ask("POST", "Things", json.dumps(one).encode())
    return streams_of(door)


def replay(
    path: Path,
    streams: dict[int, int],
    door_of: Callable[[], Door],
    *,
    tell: Callable[[int], None] = lambda _: None,
    ahead: int = 2,
) -> int:
    """Send all readings of a file; return how many those were.

    Parameters
    ----------
    path
        The Parquet file.
    streams
        Number of a stream in the file to its number in the city.
    door_of
        Opens a connection; each of `ahead` threads has its own.
    tell
        Called with the readings that were taken in since the last call.

    Raises
    ------
    NotReplayableError, ReplayError

    """
    doors: list[Door] = []
    total = 0
    with ThreadPoolExecutor(ahead) as threads:
        free: list[Door] = []

        def send(table: pa.Table) -> int:
            door = free.pop()
            try:
                door.ask("POST", "CreateObservations", body_of(table, streams))
            finally:
                free.append(door)
            rows: int = table.num_rows
            return rows

        waiting: list[Future[int]] = []
        try:
            for table in _tables(path, streams):
                if len(doors) < ahead:
                    doors.append(door_of())
                    free.append(doors[-1])
                if len(waiting) == ahead:
                    taken = waiting.pop(0).result()
                    total += taken
                    tell(taken)
                waiting.append(threads.submit(send, table))
            for one in waiting:
                taken = one.result()
                total += taken
                tell(taken)
        finally:
            for door in doors:
                door.close()
    return total


def _tables(path: Path, streams: dict[int, int]) -> Iterator[pa.Table]:
    try:
        file = pq.ParquetFile(path)
    except (OSError, pa.ArrowException) as error:
        raise NotReplayableError(path, Text("不是 Parquet", "it is no Parquet file")) from error
    if not set(COLUMNS) <= set(file.schema_arrow.names):
        listed = ", ".join(COLUMNS)
        raise NotReplayableError(path, Text(f"须有列 {listed}", f"it needs the columns {listed}"))
    for batch in file.iter_batches(ROWS, columns=list(COLUMNS)):
        table = pa.Table.from_batches([batch])
        missing = set(table["datastream_id"].unique().to_pylist()) - set(streams)
        if missing:
            why = Text(f"数据流 {min(missing)} 没有站点", f"no station has its stream {min(missing)}")
            raise NotReplayableError(path, why)
        yield table


def body_of(table: pa.Table, streams: dict[int, int]) -> bytes:
    """Return readings as data arrays, one for each stream, in the order of their times."""
    table = table.sort_by([("datastream_id", "ascending"), ("time_ms", "ascending")])
    times = pc.strftime(table["time_ms"].cast(pa.timestamp("ms")), "%Y-%m-%dT%H:%M:%SZ")
    rows = pc.binary_join_element_wise(
        '["', times, '",', table["result"].cast(pa.string()), "]", ""
    ).to_pylist()
    numbers = table["datastream_id"].to_numpy()
    begins = [0, *(number + 1 for number in (numbers[1:] != numbers[:-1]).nonzero()[0].tolist()), len(rows)]
    groups = []
    for begin, end in pairwise(begins):
        head = f'{{"Datastream":{{"@iot.id":{streams[int(numbers[begin])]}}},'
        listed = ",".join(rows[begin:end])
        groups.append(f'{head}"components":["phenomenonTime","result"],"dataArray":[{listed}]}}')
    return f"[{','.join(groups)}]".encode()
