"""A citizen as a program plays one: makes a secret, does the small work, sends."""

from __future__ import annotations

import hashlib
import itertools
import secrets


def proof(client, secret):
    """Return a stamp and the nonce that goes with a secret."""
    given = client.get("/api/public/stamp").json()
    for nonce in itertools.count():
        digest = hashlib.sha256(f"{given['stamp']}:{secret}:{nonce}".encode()).digest()
        if int.from_bytes(digest) >> (256 - given["bits"]) == 0:
            return {"stamp": given["stamp"], "nonce": str(nonce)}
    return None


def report_of(lon=113.9, lat=22.5, **more):
    return {
        "secret": secrets.token_hex(16),
        "kind": "matter",
        "type": "06001",
        "lon": lon,
        "lat": lat,
        "description": "搭棚占道",
        **more,
    }


def send(client, report, **headers):
    return client.post("/api/public/reports", json=report | proof(client, report["secret"]), headers=headers)


def mine(client, report):
    return client.get("/api/public/reports/mine", headers={"Jingwei-Report": report["secret"]})


def step(client, report, action, **fields):
    return client.post(
        "/api/public/reports/mine/steps",
        json={"action": action, "fields": fields},
        headers={"Jingwei-Report": report["secret"]},
    )
