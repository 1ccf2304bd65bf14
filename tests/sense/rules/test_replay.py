"""The hour replayed equals the hour recorded: the states of cells at a moment that is over."""

import random

from tests.sense.rules.test_raising import HIGH, City, at


def states(city, moment=None):
    with city.records.read() as session:
        sight = city.station.sensing.sight(session, city.station.asker)
        found = city.standing(session, sight, moment)
    return {
        cell: [(one.id, one.severity, one.began, one.ended) for one in listed]
        for cell, listed in found.items()
    }


class Recorded(City):
    """A city of which the states are noted as time goes by."""

    @staticmethod
    def standing(session, sight, moment):
        from jingwei.sense.rules import standing

        return standing.states(session, sight, 17, moment)


def test_a_day_is_replayed_as_it_was_hour_by_hour(station):
    city = Recorded(station)
    streams = [city.put(116.4 + place / 50) for place in range(4)]
    rule = city.write(HIGH | {"spread": 1})
    city.look(0)
    draw = random.Random(3)
    recorded = {}
    for hour in range(1, 13):
        for stream in streams:
            city.say(stream, hour, draw.choice([10, 90]))
        city.look(hour, 1)
        recorded[hour] = states(city)
        if hour == 6:  # what a rule says later does not change what was
            city.write(HIGH | {"spread": 0, "severity": "notice"}, number=rule)
    assert len({tuple(sorted(one)) for one in recorded.values()}) > 6
    for hour, told in recorded.items():
        assert states(city, at(hour, 30)) == told, hour
    assert states(city, at(0, 30)) == {}
