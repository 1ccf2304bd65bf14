"""What may go wrong with subscribers, told to the person who meets it."""

from __future__ import annotations

from jingwei.errors import BadRequestError, ConflictError, NotFoundError
from jingwei.words import Text


class NoSuchSubscriberError(NotFoundError):
    """There is no subscriber of that number."""

    code = "webhook-unknown"

    def __init__(self, number: int) -> None:
        super().__init__(Text("没有这个订阅方", "there is no such subscriber."), where={"webhook": number})


class BadTargetError(BadRequestError):
    """The address may not be told events, or is none."""

    code = "webhook-address"

    def __init__(self, what: Text, why: str) -> None:
        super().__init__(
            what,
            mend=Text(
                "请给出公网的 https 地址；内网地址须先列入 settings.toml 的 [webhooks] private。",
                "Give an https address on the public net; one of an inner net must be listed in"
                " settings.toml, [webhooks] private.",
            ),
            where={"field": "url", "why": why},
        )


class BadSecretError(BadRequestError):
    """The secret cannot be used."""

    code = "webhook-secret"

    def __init__(self) -> None:
        super().__init__(
            Text("密钥不可用", "the secret cannot be used."),
            mend=Text(
                "应为 whsec_ 加 24 至 64 个字节的 base64；也可留空，由系统生成。",
                "It is `whsec_` and 24 to 64 bytes in base64; leave it out to have one made.",
            ),
            where={"field": "secret"},
        )


class UnknownTypeError(BadRequestError):
    """No event of the log has that type, and no part that name."""

    code = "webhook-type"

    def __init__(self, name: str) -> None:
        super().__init__(
            Text(f"没有事件类型 {name[:80]}", f"there is no type of event {name[:80]}."),
            mend=Text(
                "类型见 docs/events.md；也可写前半部分，如 sense。",
                "docs/events.md lists them; the part before the dot names all of it, as `sense`.",
            ),
            where={"field": "types"},
        )


class TooManySubscribersError(ConflictError):
    """There are as many subscribers as a city takes."""

    code = "webhook-too-many"

    def __init__(self, most: int) -> None:
        super().__init__(Text(f"订阅方已达 {most} 个", f"there are {most} subscribers already."))
