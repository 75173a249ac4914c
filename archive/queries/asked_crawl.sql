-- What the last crawl of an outlet did that ended at or after a moment.
SELECT outlet_id AS outlet, outcome, discovered, fetched, kept, errors,
  unixepoch(finished_at) - unixepoch(started_at) AS seconds
FROM crawls WHERE outlet_id = ? AND finished_at >= ? ORDER BY id DESC LIMIT 1
