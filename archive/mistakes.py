"""A configuration that does not fit its types, said in words: file, key and the mend.                        [pure]"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType, NoneType
from typing import Any, get_args, get_type_hints

import msgspec

from archive.errors import ConfigError, meant

_WORDS = {
    "array": "a list in [ ]", "str": "text in quotes", "int": "a whole number", "bool": "true or false",
    "object": "a table",
}  # fmt: skip


def friendly(
    file: object, kind: type, message: str, within: str = "", names: Mapping[str, Any] = MappingProxyType({})
) -> ConfigError:
    """Turn msgspec's words about a Struct of this `kind`, the table `within` of a file, into file, key and the mend.

    `names`: the tables of the file, where a value spoke for itself, of itself or of one of its fields ("port: 0 is
    no port"); such are told by their names, not by their numbers.
    """
    what, _, path = message.partition(" - at `$")
    key = re.sub(r"\[(\d+)\]", lambda nth: f" {int(nth[1]) + 1}", path.rstrip("`").lstrip(".").replace("[...]", ""))
    place = f"{within}.{key}".strip(".")
    if names:
        if found := re.match(r"(\w+) (\d+)", place):
            table = names[found[1]][int(found[2]) - 1]
            place = f"{found[1]} {table.get('id') or table.get('name')}{place[found.end() :]}"
        field, _, mend = what.partition(": ")
        return ConfigError(file, f"{place}.{field}", mend) if field.isidentifier() else ConfigError(file, place, what)
    if found := re.match(r"Object contains unknown field `(.+)`", what):
        known, top = _fields(_at(kind, key)), _fields(kind)
        mend = f"unknown key {found[1]!r}{meant(found[1], known)}; known here: {', '.join(sorted(known))}"
        if found[1] in top and not within:
            mend = f"{found[1]!r} belongs at the top of the file, above every [table]"
        return ConfigError(file, f"{place}.{found[1]}".lstrip("."), mend)
    if found := re.match(r"Object missing required field `(.+)`", what):
        return ConfigError(file, f"{place}.{found[1]}".lstrip("."), "is missing; add it")
    if found := re.match(r"Invalid enum value (.+)", what):
        return ConfigError(file, place, f"{found[1]} is none of {', '.join(map(repr, get_args(_at(kind, key))))}")
    if found := re.match(r"Expected `int` >= (\d+)", what):
        return ConfigError(file, place, f"must be {found[1]} or more")
    if found := re.match(r"Expected `(\w+)[^`]*`, got `(\w+)`", what):
        if found.groups() == ("array", "object"):
            return ConfigError(file, place, f"write [[{place}]] with two brackets, for there may be several")
        wanted, given = (_WORDS.get(word, word) for word in found.groups())
        return ConfigError(file, place, f"must be {wanted}, not {given}")
    return ConfigError(file, place, what[:1].lower() + what[1:])


def _at(kind: Any, path: str) -> Any:
    """The type at a dotted path of a Struct: `crawl`, `outlet 1`, `alert 1.on 2`, `` (the top)."""
    for name in filter(None, re.sub(r" \d+", "", path).split(".")):
        kind = get_type_hints(kind)[_fields(kind)[name]]
        while inner := [a for a in get_args(kind) if a not in (NoneType, ...) and not isinstance(a, str)]:
            kind = inner[-1]  # of a tuple its items, of a table its values, of an optional value the value
    return kind


def _fields(kind: type) -> dict[str, str]:
    """The keys of a table, each with the name of its field."""
    return {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
