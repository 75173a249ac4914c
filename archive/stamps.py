"""Stamps: once a day a time-stamping authority (RFC 3161) signs the ledger's head. Off unless one is configured.

What is signed is the SHA-256 of the head as it is printed, so that `openssl ts -verify` checks a stamp without us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.util import find_spec
from urllib.request import ProxyHandler, Request, build_opener

from archive import ledger
from archive.errors import WorkError
from archive.sqlite import Connection, insert, statement
from archive.transaction import Transaction
from archive.writer import Writer

TIMEOUT_S = 30.0
LONGEST = 1 << 16  # bytes of an answer


def missing() -> str | None:
    """What is to be done before anything can be stamped; None: nothing."""
    return None if find_spec("rfc3161_client") else "needs the extra that stamps: pip install 'rasid[stamp]'"


def stamp_head(writer: Writer, url: str) -> str | None:
    """Have the head stamped, unless it was since, or another was today; returns what was stamped.

    Blocking, for a thread of its own. Raises WorkError when the authority gives no stamp; then nothing is stored.
    """
    if (due := writer.submit(_due).result()) is None:
        return None
    seq, head = due
    row = {"seq": seq, "head": head, "url": url, "token": ask(url, head)}
    writer.submit(lambda tx: insert(tx.db, "stamps", {"at": tx.now(), **row})).result()
    return head


def ask(url: str, head: str) -> bytes:
    """An authority's stamp of a head. Raises WorkError unless it is granted and of this very head."""
    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder, decode_timestamp_response

    asked = TimestampRequestBuilder().data(head.encode()).hash_algorithm(HashAlgorithm.SHA256).build()
    headers = {"Content-Type": "application/timestamp-query"}
    try:
        request = Request(url, asked.as_bytes(), headers)  # noqa: S310  # http(s), as the configuration checked
        with build_opener(ProxyHandler({})).open(request, timeout=TIMEOUT_S) as answer:
            token = bytes(answer.read(LONGEST))
        told = decode_timestamp_response(token)
        if told.status not in (0, 1):
            raise ValueError(f"refused: {' '.join(told.status_string) or told.status}")
        if told.tst_info.nonce != asked.nonce or told.tst_info.message_imprint.message != _imprint(head):
            raise ValueError("it stamped something else")
    except (OSError, ValueError) as error:
        raise WorkError(f"{url} gave no stamp: {error}") from error
    return token


def check_stamps(db: Connection) -> Iterator[str]:
    """A sentence on every stamp that does not fit the ledger. Who signed it is for `openssl ts -verify` to say."""
    for number, at, seq, head, token, prev, record in db.execute(statement("evidence.stamps")):
        if prev is None or ledger.link(prev, record) != head:
            yield f"stamp {number} of {at}: the head it stamped is not the ledger's after row {seq}"
        elif _imprint(head) not in token:
            yield f"stamp {number} of {at}: its token is not of that head"


def _imprint(head: str) -> bytes:
    return hashlib.sha256(head.encode()).digest()


def _due(tx: Transaction) -> tuple[int, str] | None:
    last = tx.db.execute("SELECT at, head FROM stamps ORDER BY id DESC LIMIT 1").fetchone()
    (seq,) = tx.db.execute("SELECT coalesce(max(seq), 0) FROM ledger").fetchone()
    head = ledger.head(tx.db)
    if not seq or (last and (last[0][:10] >= tx.now()[:10] or last[1] == head)):
        return None
    return seq, head
