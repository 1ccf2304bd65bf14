"""Households whose sizes, ages and sexes together match the margins of a census.

Template households (couples, families, three generations, shared flats ...) form a seed sample. Their weights
are calibrated by generalised raking (Deville and Särndal, 1992): of all weights that meet household-level and
person-level margins at once, those nearest to the seed in relative entropy. For margins of one table this is
iterative proportional fitting. The convex dual is solved by `scipy.optimize`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.sparse import csr_array

from jingwei.city.demo.arrays import Bools, Floats, Ints

# Shares of households of one to six and more persons: Fujian Statistical Yearbook 2021, table 3-6, census of
# 2020 (the province next to the spot where the city lies; its full table is public; of the country only the
# share of one-person households, 25.4 %, is at hand).
SIZE_SHARES = np.array([27.3, 26.3, 19.4, 14.2, 6.9, 5.9]) / 100.0

# Persons by five-year age group (85 and over last): census of 2020, mainland China, 1,409,778,724 persons.
# The groups from 10 on as yuanfan.rbind.io (June 2023) tabulates them from the census yearbook; the two
# youngest are from memory, and add up to what bulletin 5 leaves for them (0 to 14 years: 253,383,938).
AGES = np.array(
    [
        77_883_888,
        90_244_056,
        85_255_994,
        72_684_140,
        74_941_675,
        91_847_332,
        124_145_190,
        99_012_932,
        92_955_330,
        114_224_887,
        121_164_296,
        101_400_786,
        73_382_938,
        74_005_560,
        49_590_036,
        31_238_849,
        20_382_878,
        10_826_530 + 3_652_749 + 819_812 + 118_866,
    ],
    dtype=float,
)
AGE_SHARES = AGES / AGES.sum()

# Men among the persons of each age group. Assumption: the curve between what the census of 2020 says of all
# ages (51.24 %, bulletin 4), of 60 and over (48.2 %: 93 men for 100 women) and of infants (52.7 %: 111.2).
MALE_SHARES = np.array(
    [
        *(0.527, 0.532, 0.535, 0.536, 0.530, 0.520, 0.513, 0.514, 0.514),
        *(0.512, 0.509, 0.507, 0.501, 0.492, 0.486, 0.469, 0.448, 0.400),
    ]
)

HEAD, SPOUSE, CHILD, PARENT, LODGER = range(5)
RELATIONS = ("户主", "配偶", "子女", "父母", "合租人")


@dataclass(frozen=True, slots=True)
class Templates:
    """A seed sample of households; persons are listed household by household.

    Attributes
    ----------
    first
        First person of each household.
    size
        Persons in each household.
    age
        Years, of each person.
    male
        Of each person.
    relation
        `HEAD`, `SPOUSE`, `CHILD`, `PARENT` or `LODGER`.

    """

    first: Ints
    size: Ints
    age: Ints
    male: Bools
    relation: Ints

    @property
    def household(self) -> Ints:
        """The household of each person."""
        return np.repeat(np.arange(len(self.size)), self.size)


def draw_templates(random: np.random.Generator, count: int) -> Templates:
    """Draw a seed sample of households of plausible make-up."""
    size = 1 + random.choice(6, count, p=SIZE_SHARES)
    first = np.cumsum(size) - size
    household = np.repeat(np.arange(count), size)
    position = np.arange(len(household)) - first[household]
    shared = (size >= 2) & (random.random(count) < 0.08)
    generations = (
        (size >= 3) & ~shared & (random.random(count) < np.array([0, 0, 0.0, 0.12, 0.32, 0.75, 0.95])[size])
    )
    alone = (size >= 2) & ~shared & (random.random(count) < 0.07)
    head_age = np.where(
        size == 1,
        np.where(random.random(count) < 0.5, random.normal(29, 6, count), random.normal(66, 13, count)),
        np.where(size == 2, random.normal(56, 15, count), random.normal(42, 10, count)),
    )
    head_age = np.clip(np.where(generations, random.normal(37, 6, count), head_age), 20, 92)
    relation = np.full(len(household), CHILD, dtype=np.int64)
    relation[position == 0] = HEAD
    relation[(position == 1) & ~alone[household]] = SPOUSE
    elders = np.where(generations, np.where(size >= 5, 1 + (random.random(count) < 0.6), 1), 0)
    relation[generations[household] & (position >= (size - elders)[household])] = PARENT
    relation[shared[household] & (position > 0)] = LODGER
    noise = random.normal(0.0, 1.0, len(household))
    head = head_age[household]
    age = np.select(
        [relation == HEAD, relation == SPOUSE, relation == CHILD, relation == PARENT],
        [
            head,
            head - 1.5 + 3.0 * noise,
            head - 28.0 + 4.5 * noise - 2.5 * np.maximum(position - 2, 0),
            head + 26.5 + 4.0 * noise,
        ],
        26.0 + np.abs(6.0 * noise),
    )
    lowest = np.where(relation == CHILD, 0, 20)
    grown = np.clip(random.uniform(0, 12, len(household)), 0, 12)
    age = np.where((relation == CHILD) & (age < 0), grown, age)
    head_male = random.random(count) < np.where(size == 1, 0.52, 0.8)
    male = random.random(len(household)) < 0.525
    male = np.where(relation == HEAD, head_male[household], male)
    male = np.where(relation == SPOUSE, ~head_male[household], male)
    return Templates(first, size, np.clip(np.floor(age), lowest, 100).astype(np.int64), male, relation)


def calibrate(templates: Templates) -> Floats:
    """Return weights of the template households that meet the census margins; they sum to 1.

    Raises
    ------
    ArithmeticError
        When the margins cannot be met by any weights of these templates.

    """
    count = len(templates.size)
    group = np.minimum(templates.age // 5, len(AGE_SHARES) - 1) * 2 + templates.male
    rows = np.concatenate([np.arange(count), templates.household])
    columns = np.concatenate([templates.size - 1, len(SIZE_SHARES) + group])
    columns_count = len(SIZE_SHARES) + 2 * len(AGE_SHARES)
    counts = csr_array((np.ones(len(rows)), (rows, columns)), shape=(count, columns_count))
    by_sex = np.column_stack([AGE_SHARES * (1 - MALE_SHARES), AGE_SHARES * MALE_SHARES]).ravel()
    mean_size = float((SIZE_SHARES * np.arange(1, 7)).sum())
    target = np.concatenate([SIZE_SHARES, by_sex / by_sex.sum() * mean_size])
    scale = 1.0 / np.sqrt(target)
    scaled = counts.multiply(scale).tocsr()
    aim = target * scale
    start = np.full(count, 1.0 / count)

    def dual(multiplier: Floats) -> tuple[float, Floats]:
        weight = start * np.exp(np.clip(scaled @ multiplier, -30.0, 30.0))
        return float(weight.sum() - (multiplier * aim).sum()), np.asarray(scaled.T @ weight - aim)

    solution = minimize(
        dual,
        np.zeros(columns_count),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-8},
    )
    weight = start * np.exp(np.clip(scaled @ solution.x, -30.0, 30.0))
    missed = np.abs(counts.T @ weight - target).max()
    if missed > 2e-3:
        raise ArithmeticError(f"the household margins are missed by {missed:.4f}")
    return np.asarray(weight / weight.sum())


def systematic(random: np.random.Generator, weight: Floats, count: int) -> Ints:
    """Draw `count` indices with the given weights by systematic sampling, so that margins stay exact."""
    edges = np.cumsum(weight) / weight.sum()
    points = (np.arange(count) + random.random()) / count
    return np.minimum(np.searchsorted(edges, points), len(weight) - 1)
