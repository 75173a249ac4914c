"""`rasid serve`: the desk's process, from an archive's path to a listening server and back."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import uvicorn
from datasette.app import Datasette
from datasette.database import Database
from datasette.plugins import pm
from datasette.utils import InvalidSql

from archive import sqlite
from archive.desk import pages, plugin
from archive.errors import ArchiveError, WorkError
from archive.reading import open_archive

_MEMORY = 128 << 20  # bytes SQLite may take, whatever is asked of it


class _ReadOnly(Database):  # type: ignore[misc]
    """The archive as Datasette sees it: live rows of a file others write, and no way to write to it."""

    def connect(self, write: bool = False) -> Any:
        if write:
            raise ArchiveError("the desk only reads the archive")
        connection = sqlite.connect_read(Path(self.path)).conn
        self._all_file_connections.append(connection)
        return connection

    async def execute(self, sql: str, params: Any = None, **options: Any) -> Any:
        try:
            return await super().execute(sql, params, **options)
        except MemoryError as error:
            raise InvalidSql("The answer is too large: ask for fewer rows, or for shorter texts") from error
        except sqlite.SqliteWarning as error:  # two statements in one
            raise InvalidSql(str(error)) from error


def open_desk(archive: Path) -> Datasette:
    """Datasette on the archive file, named `archive`, with our pages, queries and descriptions; no server yet.

    Raises ArchiveError when the file is missing, is no archive, or cannot be opened for reading.
    """
    open_archive(archive).close()
    if not pm.is_registered(plugin):
        pm.register(plugin, "rasid-desk")
    metadata = pages.descriptions()
    metadata["databases"][plugin.DATABASE]["queries"] = pages.canned_queries()
    desk = Datasette(
        files=[],
        metadata=metadata,
        template_dir=str(pages.HERE / "templates"),
        static_mounts=[("rasid", str(pages.HERE / "static"))],
        settings={
            "sql_time_limit_ms": 1000,
            "truncate_cells_html": 400,
            "suggest_facets": False,  # twenty trial queries a page; the column menus still offer them
            "default_cache_ttl": 0,  # a page shows what is, not what was
            "allow_download": False,
        },
    )
    desk.remove_database("_memory")
    desk.add_database(_ReadOnly(desk, str(archive)), name=plugin.DATABASE)
    return desk


class _Server(uvicorn.Server):
    """Says when it listens, and returns after SIGINT or SIGTERM instead of dying of it."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.ready()

    def handle_exit(self, sig: int, frame: Any) -> None:
        self.force_exit = self.should_exit  # asked twice: wait for nobody
        self.should_exit = True


def serve(
    archive: Path, *, host: str = "127.0.0.1", port: int = 8001, on_ready: Callable[[str], None] | None = None
) -> None:
    """Serve the archive until SIGINT or SIGTERM; `on_ready` is told the address once it answers. Port 0: any free one.

    Raises ArchiveError (see `open_desk`), WorkError when the address cannot be listened on.
    """
    desk = open_desk(archive)
    with closing(sqlite.connect_read(archive)) as db:  # from now on, in this whole process; beyond it: MemoryError
        db.execute(f"PRAGMA hard_heap_limit={_MEMORY}")
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        why = "is taken: stop what listens there, or choose another --port"
        raise WorkError(
            f"port {port} on {host} {why if error.errno == errno.EADDRINUSE else f'cannot be used: {error.strerror}'}"
        ) from error
    with listener:
        name = f"[{host}]" if ":" in host else host
        address = f"http://{name}:{listener.getsockname()[1]}/"
        config = uvicorn.Config(desk.app(), log_level="warning", server_header=False, timeout_graceful_shutdown=3)
        _Server(config, lambda: on_ready(address) if on_ready else None).run(sockets=[listener])
