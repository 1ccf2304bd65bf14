"""People and organisations: margins of the census, numbers that are well formed, work within reach."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest

from jingwei.city.demo import Layout, lay_out, settings_of
from jingwei.city.demo.codes import is_credit_code, is_identity_number
from jingwei.city.demo.facilities import Facilities, open_facilities
from jingwei.city.demo.households import AGE_SHARES, MALE_SHARES, SIZE_SHARES
from jingwei.city.demo.organisations import Organisations, found_organisations
from jingwei.city.demo.people import People, settle


@dataclass(frozen=True)
class Town:
    layout: Layout
    facilities: Facilities
    organisations: Organisations
    people: People


def town_of(scale: str, seed: int) -> Town:
    layout = lay_out(settings_of(scale, seed))
    facilities = open_facilities(layout)
    organisations = found_organisations(layout, facilities)
    return Town(layout, facilities, organisations, settle(layout, organisations))


@pytest.fixture(scope="module", params=[1, 2], ids=lambda seed: f"seed-{seed}")
def town(request: pytest.FixtureRequest) -> Town:
    return town_of("S", request.param)


def test_household_sizes_are_those_of_the_census(town: Town) -> None:
    sizes = np.bincount(np.bincount(town.people.household), minlength=7)[1:]
    assert sizes / sizes.sum() == pytest.approx(SIZE_SHARES, abs=0.004)


def test_ages_and_sexes_are_those_of_the_census(town: Town) -> None:
    age = town.people.age_on(town.layout.settings.last_day)
    group = np.minimum(age // 5, len(AGE_SHARES) - 1)
    shares = np.bincount(group, minlength=len(AGE_SHARES)) / len(age)
    assert shares == pytest.approx(AGE_SHARES / AGE_SHARES.sum(), abs=0.006)
    males = np.bincount(group[town.people.male], minlength=len(AGE_SHARES)) / np.bincount(group)
    assert males[:17] == pytest.approx(MALE_SHARES[:17], abs=0.05)


def test_identity_numbers_are_well_formed_unique_and_agree_with_the_person(town: Town) -> None:
    people = town.people
    assert len(set(people.identity)) == len(people.identity)
    epoch = np.datetime64("1970-01-01")
    for index in range(0, len(people.identity), 97):
        number = people.identity[index]
        assert is_identity_number(number)
        born = str(epoch + np.timedelta64(int(people.born[index]), "D")).replace("-", "")
        assert number[6:14] == born
        assert int(number[16]) % 2 == int(people.male[index])
        assert number[:2] in {"38", "39", "48", "49"}


def test_households_live_in_buildings_with_homes(town: Town) -> None:
    homes = town.layout.buildings.homes
    assert (homes[town.people.building] > 0).all()
    assert (np.bincount(town.people.building, minlength=len(homes)) <= homes).all()


def test_children_bear_the_surname_of_the_head(town: Town) -> None:
    people = town.people
    heads = {int(h): people.name[i][0] for i, h in enumerate(people.household) if people.relation[i] == 0}
    children = np.flatnonzero(people.relation == 2)[:500]
    assert all(people.name[child][0] == heads[int(people.household[child])] for child in children)


def test_employer_sizes_follow_zipfs_law(town: Town) -> None:
    firms = np.sort(town.organisations.size[town.organisations.facility < 0])[::-1]
    head = firms[5:200]
    slope = np.polyfit(np.log(np.arange(6, 201)), np.log(head), 1)[0]
    assert -1.2 < slope < -0.8


def test_credit_codes_are_valid_and_names_unique(town: Town) -> None:
    organisations = town.organisations
    assert all(is_credit_code(code) for code in organisations.code)
    assert max(Counter(organisations.code).values()) == 1
    firms = organisations.name[organisations.facility < 0]
    assert len(set(firms)) == len(firms)


def test_most_people_work_nearer_than_chance_would_have_it(town: Town) -> None:
    buildings, people = town.layout.buildings, town.people
    worker = np.flatnonzero(people.employer >= 0)
    home = people.home[worker]
    job = town.organisations.building[people.employer[worker]]
    other = np.random.default_rng(0).permutation(job)
    way = np.hypot(buildings.x[home] - buildings.x[job], buildings.y[home] - buildings.y[job])
    chance = np.hypot(buildings.x[home] - buildings.x[other], buildings.y[home] - buildings.y[other])
    assert np.median(way) < 0.97 * np.median(chance)
    assert 0.42 < len(worker) / len(people.name) < 0.55


def test_phone_numbers_belong_to_a_range_that_nobody_has(town: Town) -> None:
    phones = [phone for phone in town.people.phone[:2000] if phone]
    assert phones
    assert all(len(phone) == 11 and phone.startswith("154") for phone in phones)
