"""What every crawling process holds: one writer, one extraction worker, one guest, one reactor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from archive.errors import ConfigError
from archive.times import Clock, utc_now
from archive.transaction import Policy
from archive.writer import Writer
from crawler.browser import missing
from crawler.config import OUTLETS, SERVICE, Config
from crawler.crawl import Crawls
from crawler.guest import Guest
from crawler.worker import Readers

T = TypeVar("T")


def check(config: Config) -> None:
    """Raise ConfigError for what nobody may crawl with, or this machine cannot."""
    if not config.contact:
        why = 'no contact address, no crawl: add contact = "you@example.org", so that outlets can reach you'
        raise ConfigError(config.file(SERVICE), "contact", why)
    if any(outlet.browser for outlet in config.enabled()) and (mend := missing()):
        raise ConfigError(config.file(OUTLETS), "outlet.browser", mend)


def policy(config: Config) -> Policy:
    """What the store must know of the configuration. Raises ConfigError for one with a mistake."""
    if config.mistake:
        raise config.mistake
    return Policy(
        ladder=tuple(map(float, config.revisit.ladder)),
        confirm_after=float(config.revisit.confirm_after),
        rules=config.rules,
        alerts=config.alerts,
        mails_per_hour=config.smtp.most_per_hour if config.smtp else Policy.mails_per_hour,
        mail_domain=config.smtp.sender.rpartition("@")[2] if config.smtp else Policy.mail_domain,
        revisit_all=config.revisit.which == "all",
    )


@contextmanager
def open_session(config: Config, *, clock: Clock = utc_now, waits: Path | None = None) -> Iterator[Crawls]:
    """Open all of it for writing; raises ArchiveBusy when another process has it. Closes in reverse order.

    `waits`: an archive, perhaps of another process, which knows the hosts that asked us to wait.
    """
    check(config)
    config.archive.parent.mkdir(parents=True, exist_ok=True)
    with Writer(config.archive, policy(config), clock=clock) as writer, closing(Readers(config.rules)) as worker:
        yield Crawls(config, writer, worker, Guest(config, writer, clock=clock, waits=waits), clock=clock)


def run_reactor(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run one coroutine inside the Twisted reactor that Scrapy needs, on asyncio. Once per process."""
    from scrapy.utils.reactor import install_reactor

    install_reactor("twisted.internet.asyncioreactor.AsyncioSelectorReactor")
    from twisted.internet import reactor as running

    reactor: Any = running  # typed as an interface that lacks what every reactor has

    outcome: Future[T] = Future()

    async def work() -> None:
        try:
            outcome.set_result(await main())
        except BaseException as error:  # carried out of the reactor
            outcome.set_exception(error)
        finally:
            reactor.stop()

    loop = asyncio.get_event_loop()
    reactor.callWhenRunning(lambda: loop.create_task(work()))
    reactor.run(installSignalHandlers=False)
    return outcome.result()
