"""Who signs in to the broker within the city, and what they may do there: by tokens, asked each time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jingwei.errors import JingweiError
from jingwei.sense import policy
from jingwei.sense.wire import NotPlainError

if TYPE_CHECKING:
    from jingwei.web.senders import Sender, Senders


class TokensAtBroker:
    """Knows tokens by their numbers, as they stand at this moment.

    Parameters
    ----------
    senders
        Know what tokens stand for.

    """

    def __init__(self, senders: Senders) -> None:
        self._senders = senders
        self._turn = -1
        self._all: dict[tuple[int, str], bool] = {}

    def signed_in(self, number: str, token: str) -> bool:
        """Say whether a token has this number, stands, and is good for readings."""
        try:
            shown = self._senders.of(token.encode("latin-1", "replace"))
        except (NotPlainError, JingweiError):
            return False
        return shown.number == number and _for_readings(shown.sender)

    def stands(self, number: str) -> bool:
        """Say whether the token of a number stands, and is good for readings."""
        sender = self._sender(number)
        return sender is not None and _for_readings(sender)

    def may_write(self, number: str, stream: int | None) -> bool:
        """Say whether the token of a number may write to a stream; None for all."""
        sender = self._sender(number)
        if sender is None:
            return False
        if stream is None:
            return self._everything(sender, policy.OBSERVE)
        try:
            self._senders.feature(sender, stream)
        except (NotPlainError, JingweiError):
            return False
        return True

    def may_read(self, number: str, stream: int | None) -> bool:
        """Say whether the token of a number may read a stream; None for all."""
        sender = self._sender(number)
        if sender is None:
            return False
        if stream is None:
            return self._everything(sender, policy.READ)
        return self._senders.may_read(sender, stream)

    def _sender(self, number: str) -> Sender | None:
        try:
            return self._senders.of_number(number).sender
        except (NotPlainError, JingweiError):
            return None

    def _everything(self, sender: Sender, action: str) -> bool:
        turn = self._senders.turn()
        if turn != self._turn:
            self._turn, self._all = turn, {}
        key = (id(sender), action)
        if key not in self._all:
            rows = self._senders.policies.rows(sender.asker, action, policy.KIND)
            self._all[key] = bool(rows.everything)
        return self._all[key]


def _for_readings(sender: Sender) -> bool:
    only = sender.asker.only
    return only is None or bool({policy.OBSERVE, policy.READ} & only)
