"""The whole demo city, assembled."""

from __future__ import annotations

from dataclasses import dataclass

from jingwei.city.demo.cases import Desk
from jingwei.city.demo.components import Components, take_inventory
from jingwei.city.demo.departments import Department, Government, form_government
from jingwei.city.demo.devices import Devices, install_devices
from jingwei.city.demo.drainage import Drains, lay_drains
from jingwei.city.demo.facilities import Facilities, open_facilities
from jingwei.city.demo.layout import Layout, lay_out
from jingwei.city.demo.organisations import Organisations, found_organisations
from jingwei.city.demo.people import People, settle
from jingwei.city.demo.process import World
from jingwei.city.demo.settings import Settings, settings_of
from jingwei.city.demo.transit import Transit, run_buses, run_metro


@dataclass(frozen=True, slots=True)
class Town:
    """A demo city: what stands, who lives there, what measures it, and where its cases arrive.

    `world` is what the process (`jingwei.city.demo.process`) runs on; `desk` lists the cases of any span.
    """

    settings: Settings
    layout: Layout
    government: Government
    facilities: Facilities
    drains: Drains
    metro: Transit
    buses: Transit
    organisations: Organisations
    people: People
    components: Components
    devices: Devices
    desk: Desk

    @property
    def departments(self) -> dict[str, Department]:
        """The departments of its government by key."""
        return self.government.departments

    @property
    def world(self) -> World:
        """What the process runs on."""
        return World(self.layout, self.devices)


def build_town(settings: Settings) -> Town:
    """Build the demo city that the settings decide."""
    layout = lay_out(settings)
    facilities, drains = open_facilities(layout), lay_drains(layout)
    metro, buses = run_metro(layout), run_buses(layout)
    organisations = found_organisations(layout, facilities)
    people = settle(layout, organisations)
    components = take_inventory(layout, drains, facilities, metro, buses)
    return Town(
        settings=settings,
        layout=layout,
        government=form_government(layout),
        facilities=facilities,
        drains=drains,
        metro=metro,
        buses=buses,
        organisations=organisations,
        people=people,
        components=components,
        devices=install_devices(layout, drains, facilities, metro, organisations, people),
        desk=Desk(layout, drains, components),
    )


def tiny_town(seed: int = 1) -> Town:
    """Build a demo city of a few thousand people, for tests."""
    return build_town(settings_of("tiny", seed))
