"""The desk: Datasette on the archive, with Rasid's pages, queries and Arabic in SQL. It reads and never writes."""

from archive.desk.server import open_desk, serve

__all__ = ["open_desk", "serve"]
