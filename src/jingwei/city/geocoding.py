"""From an address in words to a place, by the city's own table of addresses.

An address is taken apart into division, road, number, compound and building; what is missing, abbreviated, or
off by a character is looked for among what the table holds. Every answer says how precise it is and how sure,
and names its alternatives; an address that fits several buildings is not given one of them as certain.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from jingwei import grid
from jingwei.errors import NotFoundError
from jingwei.lake import contracting
from jingwei.lake.wording import MARK
from jingwei.words import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from jingwei.access import Asker
    from jingwei.city.service import City

Precision = Literal["building", "gate", "compound", "road", "street", "district", "none"]

WEIGHTS = {"district": 1.0, "street": 1.0, "road": 3.0, "number": 3.0, "compound": 3.0, "building": 3.0}
"""What the agreement of a part counts for; one that the address leaves out counts half as unknown."""
SURE = 0.75
"""Score from which an answer may be taken without a look."""
CLEAR = 0.04
"""Lead in score below which the second best is as good as the best."""
MOST_ALTERNATIVES = 5
NAMES = re.compile(r"地址|住址|address", re.IGNORECASE)

_DIGITS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_BUILDING = re.compile(r"([A-Z甲乙丙丁戊]?\d+[A-Z]?|[A-Z甲乙丙丁戊])(?:栋|幢|座|号楼|#楼|#|楼栋)")
_SECOND_GATE = re.compile(r"(?<=\D)(\d+)号$")
_NUMBER = re.compile(r"(\d+(?:-\d+)?)(?:号(?!楼)|#)")
_REST = re.compile(r"\d+(?:单元|层|楼|室|房|户).*$")
_ROAD = re.compile(r"^(.{1,8}?(?:大道|公路|村路|环路|路|街|巷|道))")
_BLANK = re.compile(r"[\s,，。.、·()（）_/]+|(?<![A-Z\d])[-—]+|[-—]+(?!\d)")
_GATE_SIGN = re.compile(r"(?<=[路街巷道弄])(\d+(?:-\d+)?)#(?!楼)")
_ROOM = re.compile(r"(?<![路街巷道弄A-Z\d-])([A-Z]?\d+|[A-Z])(?:-\d{1,2})?-\d{3,4}室?$")
_ASIDE = re.compile(r"[(（][^()（）\d]*(?:靠近|附近|旁|对面|斜对|侧)[^()（）\d]*[)）]\s*$")
_CHINESE = re.compile(
    r"[零〇一二两三四五六七八九十百]+(?=号|栋|幢|座|单元|层|楼|室|弄|组|队|期)"
    r"|(?<=[经纬])[一二三四五六七八九十百]+(?=路|街|道|大道)|(?<=号之)[一二三四五六七八九十]+"
)
_LANE_ROOM = re.compile(r"(?<=弄)(\d+)(?:号)?-\d{3,4}室?$")
_SUB_GATE = re.compile(r"(\d+)号之(\d+)")
_PROVINCE = re.compile(
    r"(?:河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海"
    r"|台湾|内蒙古|广西(?:壮族)?|西藏|宁夏(?:回族)?|新疆(?:维吾尔)?)(?:省|自治区)?"
)
_OTHER_CITY = re.compile(r"[^\d路街巷道弄号区县旗镇乡]{2,7}?市(?![场政民府])")
_OLD_SIGNS = str.maketrans(
    "號樓區縣鎮鄉棟層單戶門東園廣場廠橋龍雲陽關灣華興寧慶豐縱橫鐵銀農糧機電體醫學館臺廟壩嶺島麗莊馬鳳鶴蘭長濱",
    "号楼区县镇乡栋层单户门东园广场厂桥龙云阳关湾华兴宁庆丰纵横铁银农粮机电体医学馆台庙坝岭岛丽庄马凤鹤兰长滨",
)
"""Traditional characters that are often on old gate plates and in old registers."""
MOST_READINGS = 5
SHORT = 3
"""Characters of a name of which one that is wrong is half of what tells it from others (桃源路)."""


@dataclass(frozen=True, slots=True)
class Parts:
    """An address taken apart; what it does not say is empty."""

    district: str = ""
    street: str = ""
    road: str = ""
    number: str = ""
    compound: str = ""
    building: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """Where an address is.

    Attributes
    ----------
    precision
        To what it is known: the building, the gate (road and number), the compound, the road ...
    score
        0 to 1: the share of what was said that agrees with the table.
    sure
        Whether nothing else fits as well, and the score is high enough to be taken without a look.
    lon, lat
        WGS84 degrees: of the building, or the middle of all that fit; None where nothing does.
    """

    text: str
    precision: Precision
    score: float
    sure: bool
    address: str
    lon: float | None
    lat: float | None
    alternatives: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class _Names:
    """Names of the table that a name may stand for as well, and how like it they are.

    `same` is itself, `part` holds it or is held by it, `near` is a character off, `guess` so many that half
    of what tells it from others is wrong.
    """

    names: tuple[str, ...] = ()
    how: Literal["same", "part", "near", "guess"] = "same"


@dataclass(frozen=True, slots=True)
class _Reading:
    """A way to read an address: its parts, and how like the names are to what was said."""

    parts: Parts
    road: _Names
    compound: _Names


@dataclass(frozen=True, slots=True)
class _Entry:
    text: str
    parts: Parts
    lon: float
    lat: float


def normal(text: str) -> str:
    """Return an address in half width, without blanks and punctuation, its Chinese numbers in figures.

    A hyphen between figures stays: 12-3号 is a gate of its own, no 123号. `22#` after a road is its gate,
    elsewhere a building; what says in brackets that something is near is left out.
    """
    half = unicodedata.normalize("NFKC", text).upper().translate(_OLD_SIGNS)
    plain = _BLANK.sub("", _ASIDE.sub("", half).replace("—", "-"))
    plain = _LANE_ROOM.sub(r"\1号", _GATE_SIGN.sub(r"\1号", plain))
    plain = _CHINESE.sub(lambda found: str(_number(found.group())), _ROOM.sub(r"\1栋", plain))
    return _SUB_GATE.sub(r"\1-\2号", plain)


def _number(words: str) -> int:
    total, digit = 0, 0
    if not set(words) & set("十百"):
        return int("".join(str(_DIGITS[c]) for c in words))
    for c in words:
        if c in "十百":
            total += (digit or 1) * (10 if c == "十" else 100)
            digit = 0
        else:
            digit = _DIGITS[c]
    return total + digit


class Gazetteer:
    """The addresses of a city, ready to be asked.

    Parameters
    ----------
    addresses
        Text, longitude and latitude (WGS84) of each.
    old_names
        What roads and compounds were called before, and are called now.

    """

    def __init__(
        self, addresses: Iterable[tuple[str, float, float]], old_names: dict[str, str] | None = None
    ) -> None:
        self.old_names = {normal(old): normal(new) for old, new in (old_names or {}).items()}
        texts = [(normal(text), lon, lat) for text, lon, lat in addresses if text]
        self.city = _common_city([text for text, _, _ in texts])
        self._heads = _heads_of(self.city)
        self._entries: list[_Entry] = []
        self._roads: set[str] = set()
        self._compounds: set[str] = set()
        self._districts: dict[str, str] = {}
        self._streets: dict[str, str] = {}
        for text, lon, lat in texts:
            self._entries.append(_Entry(text, self._parts_of_table(text), lon, lat))
        self._index()

    def _parts_of_table(self, text: str) -> Parts:
        """Take a well-written address apart: division by division, then road, number, compound, building."""
        rest = text.removeprefix(self.city)
        district = street = ""
        if found := re.match(r"(.{1,6}?(?:区|县|旗))", rest):
            district, rest = found.group(), rest[found.end() :]
        if found := re.match(r"(.{1,8}?(?:街道|镇|乡))", rest):
            street, rest = found.group(), rest[found.end() :]
        return replace(self._tail(rest), district=district, street=street)

    def _tail(self, rest: str) -> Parts:
        road = number = building = ""
        rest = _REST.sub("", rest)
        if found := re.match(r"(.*?)(\d+(?:-\d+)?)号(?!楼)", rest):
            road, number, rest = found.group(1), found.group(2), rest[found.end() :]
        if found := _BUILDING.search(rest) or (_SECOND_GATE.search(rest) if number else None):
            building, rest = found.group(1), rest[: found.start()]
        return Parts(road=road, number=number, compound=rest, building=building)

    def _index(self) -> None:
        self._by_gate: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._by_road: dict[str, list[int]] = defaultdict(list)
        self._by_compound: dict[str, list[int]] = defaultdict(list)
        for at, entry in enumerate(self._entries):
            parts = entry.parts
            self._by_gate[parts.road, parts.number].append(at)
            self._by_road[parts.road].append(at)
            if parts.compound:
                self._by_compound[parts.compound].append(at)
            for name, known, tails in (
                (parts.district, self._districts, ("区", "县", "旗")),
                (parts.street, self._streets, ("街道", "镇", "乡")),
            ):
                if name:
                    known[name] = name
                    short = name.removesuffix(next((tail for tail in tails if name.endswith(tail)), ""))
                    if len(short) >= 2:
                        known.setdefault(short, name)
        self._roads = {road for road in self._by_road if road}
        self._compounds = set(self._by_compound)
        self._pieces = {
            "road": _by_part(self._roads, _bits),
            "compound": _by_part(self._compounds, _bits),
        }
        self._masked = {"road": _by_part(self._roads, _masks), "compound": _by_part(self._compounds, _masks)}

    def find(self, text: str) -> Found:
        """Return where an address is."""
        readings, elsewhere = self._readings(normal(text))
        scores: dict[int, tuple[float, _Reading]] = {}
        fitting: list[int] = []
        for reading in readings:
            for at in self._candidates(reading.parts):
                theirs = self._entries[at].parts
                score = self._score(reading.parts, theirs)
                if at not in scores or score > scores[at][0]:
                    scores[at] = score, reading
                if self._fits(reading.parts, theirs):
                    fitting.append(at)
        if not scores:
            return self._coarse(text, readings[0].parts)
        fitting = list(dict.fromkeys(fitting))
        scored = sorted(((score, -at) for at, (score, _) in scores.items()), reverse=True)
        best = scored[0][0]
        equal = [-at for score, at in scored if score >= best - CLEAR]
        entry = self._entries[equal[0]]
        others = [
            (self._entries[-at].text, round(score, 3)) for score, at in scored[1 : MOST_ALTERNATIVES + 1]
        ]
        precision: Precision = "building"
        lon, lat, shown = entry.lon, entry.lat, entry.text
        open_ = fitting if len(fitting) > 1 else equal
        if len(open_) > 1 and self._one_street(open_):
            precision, shown = self._shared(open_)
            lon = float(np.mean([self._entries[at].lon for at in open_]))
            lat = float(np.mean([self._entries[at].lat for at in open_]))
        sure = not elsewhere and len(open_) == 1 and self._speaks(scores[equal[0]][1], entry.parts, best)
        return Found(text, precision, round(best, 3), sure, shown, lon, lat, tuple(others))

    def find_all(self, texts: Sequence[str]) -> list[Found]:
        """Return where many addresses are; equal ones are looked for once."""
        known: dict[str, Found] = {}
        for text in texts:
            if text not in known:
                known[text] = self.find(text)
        return [known[text] for text in texts]

    @staticmethod
    def _speaks(reading: _Reading, entry: Parts, score: float) -> bool:
        """Say whether enough was said for an entry to be taken without a look."""
        said = reading.parts
        compound = said.compound == entry.compound != ""
        if reading.road.how == "guess" and said.road:
            street = said.street == entry.street != ""
            return score >= SURE and (street or (compound and reading.compound.how != "guess"))
        named = compound and reading.compound.how == "same" and said.building == entry.building != ""
        return (score >= SURE and reading.compound.how != "guess") or named

    def _readings(self, text: str) -> tuple[list[_Reading], bool]:
        """Take an address apart as people write it, by the names that the table holds.

        A name that stands for several of the table as well gives a reading for each. Also says whether it
        names another city.
        """
        for old, new in self.old_names.items():
            text = text.replace(old, new)
        rest, elsewhere = self._without_city(text)
        district, rest = _leading(rest, self._districts)
        street, rest = _leading(rest, self._streets)
        if not district and not street:
            rest = (
                re.sub(r"^.{1,5}?(?:区|县)(?=.{2})", "", rest, count=1)
                if not self._begins_known(rest)
                else rest
            )
        parts = self._tail(rest)
        said = replace(parts, district=district, street=street)
        roads = self._known("road", said.road, said)
        roads = roads if roads.names else self._road_within(rest, said)
        compounds = self._known("compound", said.compound, said)
        within = "" if compounds.names else self._compound_within(rest)
        if within and not roads.names and said.number and not said.building and said.road.endswith(within):
            said = replace(said, road="", number="", building=said.number)
        compounds = _Names((within,)) if within else compounds
        return [
            _Reading(replace(said, road=road, compound=compound), roads, compounds)
            for road in roads.names or [said.road]
            for compound in compounds.names or [said.compound]
        ], elsewhere

    def _without_city(self, text: str) -> tuple[str, bool]:
        """Return an address without province and city, and whether it names another city than this one."""
        rest, here = text, not self.city
        for _ in range(2):  # people name the city twice
            for head in self._heads:
                if rest.startswith(head) and (head[-1] in "省区市" or not self._begins_with_name(rest)):
                    rest = rest.removeprefix(head)
                    here |= head[-1] != "省" and not head.endswith("自治区")
                    break
        if here:
            return rest, False
        other = _OTHER_CITY.match(_PROVINCE.sub("", rest, count=1))
        return rest, other is not None and not any(
            name.startswith(other.group()) for name in (*self._streets, *self._roads, *self._compounds)
        )

    def _begins_with_name(self, rest: str) -> bool:
        return any(rest.startswith(name) for name in (*self._roads, *self._compounds))

    def _begins_known(self, rest: str) -> bool:
        return any(rest.startswith(name[:2]) for name in (*self._roads, *self._compounds) if len(name) >= 2)

    def _known(self, kind: Literal["road", "compound"], name: str, said: Parts) -> _Names:
        """Return the names of the table that a name may stand for."""
        known = self._by_road if kind == "road" else self._by_compound
        if not name:
            return _Names()
        if name in known:
            return _Names((name,))
        near = {other for piece in _bits(name) for other in self._pieces[kind].get(piece, ())}
        part = [other for other in near if name in other or other in name]
        if part:
            whole = [other for other in part if name in other]
            longest = max(map(len, part))
            return self._nearest(
                whole or [other for other in part if len(other) == longest], kind, said, "part"
            )
        near.update(other for mask in _masks(name) for other in self._masked[kind].get(mask, ()))
        changes = {
            other: _changes(name, other)
            for other in near
            if abs(len(other) - len(name)) <= 1 + (len(other) > 5)
        }
        least = min(changes.values(), default=0)
        marks = _marks(name)
        like = [
            other
            for other, count in changes.items()
            if count == least <= 1 + (len(other) > 5) and not _differ(marks, _marks(other))
        ]
        short = len(name) <= SHORT or any(len(other) <= SHORT or _marks(other) != marks for other in like)
        return self._nearest(like, kind, said, "guess" if short else "near")

    def _nearest(
        self,
        names: list[str],
        kind: Literal["road", "compound"],
        said: Parts,
        how: Literal["part", "near", "guess"],
    ) -> _Names:
        """Return the first of many names, those before that are in the street or district that was said."""
        if len(names) <= MOST_READINGS:
            return _Names(tuple(sorted(names)), how)
        where = self._by_road if kind == "road" else self._by_compound

        def away(name: str) -> tuple[bool, bool, str]:
            parts = [self._entries[at].parts for at in where[name]]
            street = said.street in {one.street for one in parts}
            return not street, said.district not in {one.district for one in parts}, name

        return _Names(tuple(sorted(names, key=away)[:MOST_READINGS]), how)

    def _road_within(self, text: str, said: Parts) -> _Names:
        if found := _ROAD.search(text):
            return self._known("road", found.group(1), said)
        return _Names()

    def _compound_within(self, text: str) -> str:
        """Return a compound that the text names somewhere."""
        for size in range(min(len(text), 12), 2, -1):
            for start in range(len(text) - size + 1):
                if text[start : start + size] in self._compounds:
                    return text[start : start + size]
        return ""

    def _candidates(self, said: Parts) -> list[int]:
        found = list(self._by_gate.get((said.road, said.number), ())) if said.number else []
        if said.compound:
            found += self._by_compound.get(said.compound, ())
        if not found and said.road in self._by_road and not said.number:
            found = self._by_road[said.road]
        if not found and said.number and said.road in self._by_road:
            found = self._by_road[said.road]
        return list(dict.fromkeys(found))

    def _score(self, said: Parts, entry: Parts) -> float:
        got = total = 0.0
        for name, weight in WEIGHTS.items():
            ours, theirs = getattr(said, name), getattr(entry, name)
            if not ours and not theirs:
                continue
            total += weight if ours else weight / 2
            if ours and ours == theirs:
                got += weight
        return got / total if total else 0.0

    @staticmethod
    def _fits(said: Parts, entry: Parts) -> bool:
        """Say whether nothing that was said speaks against an entry."""
        return all(getattr(said, name) in ("", getattr(entry, name)) for name in WEIGHTS)

    def _one_street(self, which: list[int]) -> bool:
        return len({(self._entries[at].parts.district, self._entries[at].parts.street) for at in which}) == 1

    def _shared(self, equal: list[int]) -> tuple[Precision, str]:
        """Return the finest part that all of some entries share, and the address up to it."""
        parts = [self._entries[at].parts for at in equal]
        first = parts[0]
        head = f"{self.city}{first.district}{first.street}"
        if all((p.road, p.number) == (first.road, first.number) for p in parts):
            compound = first.compound if all(p.compound == first.compound for p in parts) else ""
            return "gate", f"{head}{first.road}{first.number}号{compound}"
        if first.compound and all(p.compound == first.compound for p in parts):
            return "compound", f"{head}{first.compound}"
        if first.road and all(p.road == first.road for p in parts):
            return "road", f"{head}{first.road}"
        if all(p.street == first.street for p in parts):
            return "street", head
        return "district", f"{self.city}{first.district}"

    def _coarse(self, text: str, said: Parts) -> Found:
        """Return no more than the division that an address names."""
        known: tuple[Precision, Precision] = ("street", "district")
        for name in known:
            wanted = getattr(said, name)
            if wanted:
                mine = [entry for entry in self._entries if getattr(entry.parts, name) == wanted]
                lon = float(np.mean([entry.lon for entry in mine]))
                lat = float(np.mean([entry.lat for entry in mine]))
                return Found(text, name, 0.2, sure=False, address=f"{self.city}{wanted}", lon=lon, lat=lat)
        return Found(text, "none", 0.0, sure=False, address="", lon=None, lat=None)


def _common_city(texts: list[str]) -> str:
    """Return the city, with its province where it is named, with which nearly all addresses begin."""
    counts: dict[str, int] = defaultdict(int)
    for text in texts[:2000]:
        province = found.group() if (found := _PROVINCE.match(text)) else ""
        if found := re.match(r".{1,8}?市", text.removeprefix(province)):
            counts[province + found.group()] += 1
    best = max(counts, key=lambda name: counts[name], default="")
    return best if counts and counts[best] > 0.5 * min(len(texts), 2000) else ""


def _heads_of(city: str) -> list[str]:
    """Return how an address may begin with a province and city, the longest first."""
    province = found.group() if (found := _PROVINCE.match(city)) else ""
    name = city.removeprefix(province)
    short = re.sub("(?:省|(?:壮族|回族|维吾尔)?自治区)$", "", province)
    names = [name, name.removesuffix("市")] if len(name) > 2 else [name]
    heads = {before + after for before in (province, short, "") for after in (*names, "")}
    return sorted(heads - {"", short} | ({province} - {""}), key=len, reverse=True)


def _leading(text: str, known: dict[str, str]) -> tuple[str, str]:
    """Return the longest known name that a text begins with, in full, and the rest."""
    for size in range(min(len(text), 10), 1, -1):
        full = known.get(text[:size])
        if full is not None and not (
            full != text[:size] and _ROAD.match(text[:size] + text[size : size + 1])
        ):
            return full, text[size:]
    return "", text


def _bits(name: str) -> set[str]:
    return {name[at : at + 2] for at in range(len(name) - 1)} or {name}


def _by_part(names: Iterable[str], parts_of: Callable[[str], set[str]]) -> dict[str, list[str]]:
    """Return the names that have each part."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in names:
        for part in parts_of(name):
            found[part].append(name)
    return found


def _marks(name: str) -> list[str]:
    """Return what tells names apart as figures do, figures among it."""
    return [*MARK.findall(name), *re.findall(r"\d+", name)]


def _differ(marks: list[str], others: list[str]) -> bool:
    """Say whether both names bear marks, and not the same."""
    return bool(marks and others) and marks != others


def _masks(name: str) -> set[str]:
    """Return a short name with each of its characters hidden in turn."""
    return {f"{name[:at]}?{name[at + 1 :]}" for at in range(len(name))} if len(name) == SHORT else set()


def _changes(a: str, b: str) -> int:
    """Return how many characters must be changed, added or dropped (Levenshtein)."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, start=1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


@dataclass(frozen=True, slots=True)
class Answered:
    """Where addresses are, by which version of which dataset."""

    found: list[Found]
    dataset: str
    version: int


class Geocoder:
    """The gazetteers of a city, each made once for a version of its table. Safe to share between threads."""

    def __init__(self, city: City) -> None:
        self.city = city
        self._kept: tuple[tuple[str, int], Gazetteer] | None = None
        self._making = threading.Lock()

    def find(self, asker: Asker, texts: Sequence[str], dataset: str | None = None) -> Answered:
        """Return where addresses are, by a dataset of addresses that the asker may see as it is.

        Raises
        ------
        NotFoundError
            If there is no dataset of addresses that the asker may see whole.
        """
        (used, version), gazetteer = self._gazetteer(asker, dataset)
        return Answered(gazetteer.find_all(texts), used, version)

    def _gazetteer(self, asker: Asker, dataset: str | None) -> tuple[tuple[str, int], Gazetteer]:
        for one in self.city.lake.datasets(asker):
            view, version = one.view, one.version
            if version is None or view is None or not view.whole or dataset not in (None, one.id):
                continue
            content = version.content
            named = content.name is not None and NAMES.search(content.name)
            if not named or not any(place.kind == "point" for place in content.places):
                continue
            key = (one.id, version.number)
            with self._making:
                if self._kept is None or self._kept[0] != key:
                    self._kept = (key, self._made(one.id, str(content.name)))
                return self._kept
        raise NotFoundError(
            Text("没有可用的地址库。", "There is no table of addresses."),
            mend=Text(
                "装载一个以地址列为名称（name）且有坐标的数据集。",
                "Load a dataset with coordinates whose `name` is its column of addresses.",
            ),
        )

    def _made(self, dataset: str, column: str) -> Gazetteer:
        version = contracting.current(self.city.lake, dataset).version
        assert version is not None  # noqa: S101 -- asked for by the caller
        place = next(one for one in version.content.places if one.kind == "point")
        table = self.city.lake.reader.columns(version, [column, place.cell])
        table = table.filter(table[place.cell].is_valid())
        codes = np.asarray(grid.from_stored(table[place.cell].to_numpy()), np.uint64)
        lon, lat = grid.centre(codes, 32) if len(codes) else ([], [])
        texts: list[Any] = table[column].to_pylist()
        return Gazetteer(zip(texts, map(float, lon), map(float, lat), strict=True))
