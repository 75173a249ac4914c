"""The service's log: a line of key=value pairs, or of JSON, for each thing that happened; no text of any article."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Sequence
from typing import Any, Literal

Style = Literal["text", "json"]
_PLAIN = re.compile(r"[^\s=\"\\\x00-\x1f\x7f-\x9f]+")


def say(log: logging.Logger, event: str, level: int = logging.INFO, **values: Any) -> None:
    """Log an event with its values, each under its name."""
    log.log(level, "%s", event, extra={"values": values})


class Lines(logging.Formatter):
    """One line for each record, whatever it holds; each of `secrets` is blotted out wherever it may turn up."""

    def __init__(self, style: Style = "text", secrets: Sequence[str] = ()) -> None:
        """`style`: key=value or JSON."""
        super().__init__()
        self.style, self.secrets = style, sorted(filter(None, secrets), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        values: dict[str, Any] = {"at": f"{at}.{record.msecs:03.0f}Z", "level": record.levelname.lower()}
        values |= {"from": record.name, "event": record.getMessage(), **getattr(record, "values", {})}
        if record.exc_info:
            values["error"] = self.formatException(record.exc_info)
        for key, value in values.items():
            for secret in self.secrets if isinstance(value, str) else ():
                value = value.replace(secret, "***")
            values[key] = value
        if self.style == "json":
            return json.dumps(values, ensure_ascii=False, default=str)
        return " ".join(f"{key}={_shown(value)}" for key, value in values.items() if value is not None)


def _shown(value: Any) -> str:
    """A value, quoted where it would not be one word.

    >>> _shown("sana"), _shown("two words"), _shown(3)
    ('sana', '"two words"', '3')
    """
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def set_up(style: Style, secrets: Sequence[str]) -> None:
    """Have everything that is logged from here on written in this style."""
    for handler in logging.getLogger().handlers:
        handler.setFormatter(Lines(style, secrets))
