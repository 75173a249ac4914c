"""The desk: Datasette on the archive, with Rasid's pages, queries and Arabic in SQL. It reads and never writes."""
