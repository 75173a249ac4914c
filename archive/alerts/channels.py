"""Other channels than mail (Telegram, Slack, Matrix, ntfy, webhooks ...), by way of the optional package apprise.

A channel's address is a secret: it stands in no message, log or table, only its name does.
"""

from __future__ import annotations

import logging
from importlib.util import find_spec

from archive.errors import DeliveryError

MISSING = "needs a package that is not installed: pip install 'rasid[channels]'"


def installed() -> bool:
    """Whether messages can be sent by other channels than mail at all."""
    return find_spec("apprise") is not None


def readable(address: str) -> bool:
    """Whether an address is one that messages can be sent to."""
    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it tells of addresses, and of what was sent to them
    return bool(apprise.Apprise().add(address))


def send(name: str, address: str | None, subject: str, text: str) -> None:
    """Hand a message over to the channel `name`; returns once it was taken. Raises DeliveryError, worth another try."""
    if not installed():
        raise DeliveryError(f"channel {name}: {MISSING}")
    import apprise

    channel = apprise.Apprise()
    if address is None or not readable(address) or not channel.add(address):
        raise DeliveryError(f"channel {name}: its address is not one that messages can be sent to; mend it")
    try:
        taken = channel.notify(title=subject, body=text, body_format=apprise.NotifyFormat.TEXT)
    except Exception as error:  # of a plugin; its words may hold the address
        raise DeliveryError(f"channel {name}: {type(error).__name__}; sending is tried again later") from None
    if not taken:
        raise DeliveryError(f"channel {name}: did not take the message; sending is tried again later")
