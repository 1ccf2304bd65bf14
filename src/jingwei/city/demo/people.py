"""The residents: synthetic households in real homes, persons with names, numbers, schooling and work."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

import numpy as np

from jingwei.city.demo.arrays import Bools, Ints, Texts, totals
from jingwei.city.demo.codes import identity_numbers, mobile_numbers
from jingwei.city.demo.gravity import deterrence, draw_ends, draw_within, flows, zones_of
from jingwei.city.demo.households import CHILD, HEAD, PARENT, calibrate, draw_templates, systematic
from jingwei.city.demo.land import Use
from jingwei.city.demo.layout import Layout
from jingwei.city.demo.names import SURNAMES, given_names, surname_weights
from jingwei.city.demo.organisations import Organisations

EDUCATION = ("未上学", "小学", "初中", "高中", "大专", "本科", "研究生")
# Shares of the people by schooling, those at school among them: census of 2020, bulletin 6 (of 100,000 people
# 24,767 primary, 34,507 lower and 15,088 upper secondary, 15,467 higher). How the last part into colleges,
# first and higher degrees is an assumption.
SCHOOLING = np.array([0.10171, 0.24767, 0.34507, 0.15088, 0.0789, 0.0665, 0.00927])
TEMPLATES = 6_000
FIRST_PHONE = 4_018  # days: at eleven years; assumption
# Shares (%) of persons in work by age from 15 to 74 in steps of five years, men and women. Assumption, with
# retirement at 60 for men and at 50 to 55 for women.
WORKING = np.array(
    [
        [6, 56, 92, 95, 95, 94, 92, 87, 74, 28, 16, 8],
        [5, 52, 80, 80, 81, 81, 76, 52, 28, 15, 9, 4],
    ]
)


@dataclass(frozen=True, slots=True)
class People:
    """Residents and their households.

    Attributes
    ----------
    building, room
        Home of each household: the building, and the room as floor and door (`1203`).
    household
        The household of each person.
    relation
        Index into `households.RELATIONS`.
    name, identity, phone
        Of each person; children have no phone.
    born
        Days since 1970-01-01.
    male
        Sex.
    education
        Index into `EDUCATION`.
    employer
        Organisation that each person works for, -1 for none.
    registered_here
        True for those with local household registration.

    """

    building: Ints
    room: Ints
    household: Ints
    relation: Ints
    name: Texts
    identity: Texts
    phone: Texts
    born: Ints
    male: Bools
    education: Ints
    employer: Ints
    registered_here: Bools

    def age_on(self, day: date) -> Ints:
        """Return ages in completed years on a day (leap days count as 365.2425ths)."""
        days = (day - date(1970, 1, 1)).days - self.born
        return np.asarray(np.floor((days + 0.25) / 365.2425), dtype=np.int64)

    @property
    def home(self) -> Ints:
        """The building that each person lives in."""
        return self.building[self.household]


def settle(layout: Layout, organisations: Organisations) -> People:
    """Settle the population in the city's homes and give it work."""
    random = layout.settings.draws("people")
    templates = draw_templates(random, TEMPLATES)
    weight = calibrate(templates)
    population = layout.settings.scale.population
    mean_size = float((weight * templates.size).sum())
    chosen = systematic(random, weight, round(population / mean_size))
    size = templates.size[chosen]
    household = np.repeat(np.arange(len(chosen)), size)
    source = np.repeat(templates.first[chosen], size) + (
        np.arange(len(household)) - np.repeat(np.cumsum(size) - size, size)
    )
    relation, male, age = templates.relation[source], templates.male[source], templates.age[source]
    building, room = _homes(layout, random, age[relation == HEAD], size)
    today = (layout.settings.last_day - date(1970, 1, 1)).days
    born = (today - np.floor((age + random.random(len(age))) * 365.2425) - 1).astype(np.int64)
    here = np.repeat(random.random(len(chosen)) < np.where(templates.size[chosen] > 2, 0.72, 0.55), size)
    people = People(
        building=building,
        room=room,
        household=household,
        relation=relation,
        name=_names(random, household, relation, male),
        identity=_identities(layout, random, born, male, here),
        phone=np.where(today - born >= FIRST_PHONE, mobile_numbers(random, len(age)), "").astype(object),
        born=born,
        male=male,
        education=_education(random, age),
        employer=np.full(len(age), -1, dtype=np.int64),
        registered_here=here,
    )
    return replace(people, employer=_employers(layout, random, people, age, organisations))


def _homes(layout: Layout, random: np.random.Generator, head_age: Ints, size: Ints) -> tuple[Ints, Ints]:
    """Match households to homes: the young to towers and swallowed villages, the old to old streets."""
    buildings = layout.buildings
    building = np.repeat(np.arange(len(buildings.homes)), buildings.homes)
    serial = np.arange(len(building)) - np.repeat(
        np.cumsum(buildings.homes) - buildings.homes, buildings.homes
    )
    per_floor = np.maximum(1, -(-buildings.homes // buildings.floors))[building]
    room = (serial // per_floor + 1) * 100 + serial % per_floor + 1
    if len(building) < len(head_age):  # more households than homes: the last ones share
        extra = random.integers(0, len(building), len(head_age) - len(building))
        building, room = np.concatenate([building, building[extra]]), np.concatenate([room, room[extra]])
    taken = np.sort(random.permutation(len(building))[: len(head_age)])
    youth = np.zeros(len(Use))
    youth[[Use.OLD_HOUSING, Use.VILLAGE, Use.SLAB_HOUSING, Use.TOWER_HOUSING, Use.URBAN_VILLAGE]] = [
        0.1,
        0.2,
        0.35,
        0.7,
        0.8,
    ]
    of_home = youth[buildings.use[building[taken]]] + random.normal(0.0, 0.28, len(taken))
    of_household = -head_age / 40.0 - 0.05 * size + random.normal(0.0, 0.35, len(head_age))
    home = np.empty(len(taken), dtype=np.int64)
    home[np.argsort(of_household, kind="stable")] = taken[np.argsort(of_home, kind="stable")]
    return building[home], room[home]


def _names(random: np.random.Generator, household: Ints, relation: Ints, male: Bools) -> Texts:
    """Return names; children bear the surname of the head, and so do most fathers of heads."""
    surnames = np.array(SURNAMES, dtype=object)
    own = random.choice(len(SURNAMES), len(household), p=surname_weights())
    of_head = np.zeros(int(household.max()) + 1, dtype=np.int64)
    of_head[household[relation == HEAD]] = own[relation == HEAD]
    inherits = (relation == CHILD) | ((relation == PARENT) & male)
    surname = np.where(inherits, of_head[household], own)
    return np.asarray(surnames[surname] + given_names(random, ~male), dtype=object)


def _identities(layout: Layout, random: np.random.Generator, born: Ints, male: Bools, here: Bools) -> Texts:
    """Return identity numbers of this city's districts, or of other regions that do not exist."""
    districts = layout.divisions.districts.codes.astype("U6")
    elsewhere = np.array(
        [f"{province}{place:04d}" for province in (38, 39, 48, 49) for place in (221, 425, 728, 922)]
    )
    region = np.where(
        here,
        districts[random.integers(0, len(districts), len(born))],
        elsewhere[random.integers(0, len(elsewhere), len(born))],
    )
    first = int(born.min())
    days = np.char.replace(
        np.datetime_as_string(np.arange(first, int(born.max()) + 1).astype("datetime64[D]")), "-", ""
    )
    key = np.char.add(region, days[born - first])
    order = np.lexsort((np.arange(len(born)), male, key))
    starts = np.flatnonzero(
        np.concatenate([[True], (key[order][1:] != key[order][:-1]) | (male[order][1:] != male[order][:-1])])
    )
    rank = np.zeros(len(born), dtype=np.int64)
    rank[order] = np.arange(len(born)) - np.repeat(starts, np.diff(np.append(starts, len(born))))
    sequence = (rank * 2 + np.where(male, 1, 0) + 20 * (np.abs(born) % 40)) % 1000
    return identity_numbers(region, days[born - first], sequence).astype(object)


def _education(random: np.random.Generator, age: Ints) -> Ints:
    """Return the highest schooling: the young are at school, the shares of all are those of the census.

    Of two grown-up persons the younger is likelier to have been at school for longer.
    """
    at_school = np.select([age < 7, age < 13, age < 16, age < 19], [0, 1, 2, 3], -1)
    grown = np.flatnonzero(at_school < 0)
    held = np.bincount(at_school[at_school >= 0], minlength=len(EDUCATION))
    left = np.maximum(SCHOOLING * len(age) - held, 0.0)
    rank = np.argsort(np.argsort(random.normal(0.0, 22.0, len(grown)) - age[grown], kind="stable"))
    level = np.searchsorted(np.cumsum(left) / left.sum(), (rank + 0.5) / max(len(grown), 1))
    education = at_school.copy()
    education[grown] = np.minimum(level, len(EDUCATION) - 1)
    return np.asarray(education, dtype=np.int64)


def _employers(
    layout: Layout, random: np.random.Generator, people: People, age: Ints, organisations: Organisations
) -> Ints:
    """Give workers an employer by a gravity model balanced on both sides, superblock by superblock."""
    group = np.clip((age - 15) // 5, 0, 11)
    rate = np.where((age >= 15) & (age < 75), WORKING[np.where(people.male, 0, 1), group] / 100.0, 0.0)
    works = random.random(len(age)) < rate
    zones = zones_of(layout)
    count = len(zones.distance)
    home = zones.of_building[people.home[works]]
    job = zones.of_building[organisations.building]
    size = organisations.size.astype(float)
    flow = flows(
        totals(home, np.ones(len(home)), count), totals(job, size, count), deterrence(zones.distance)
    )
    employer = np.full(len(age), -1, dtype=np.int64)
    employer[works] = draw_within(random, draw_ends(random, flow, home), job, size)
    return employer
