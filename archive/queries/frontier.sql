-- name: due_outlets
-- Outlets with something due at :now, the longest overdue first; and whether any of it is new, no article to revisit.
SELECT outlet_id, max(new) FROM (
  SELECT outlet_id, next_at, 1 AS new FROM sources WHERE next_at <= :now
  UNION ALL SELECT outlet_id, next_at, 1 FROM frontier WHERE next_at <= :now
  UNION ALL SELECT outlet_id, next_check_at, 0 FROM articles WHERE next_check_at <= :now)
WHERE outlet_id IS NOT NULL GROUP BY outlet_id ORDER BY min(next_at), outlet_id

-- name: due_links
-- Addresses found at an outlet that are due, the newest first, in the columns of models.Link but for the second.
SELECT url, backlog, title, published_at, author, NULL, content FROM frontier
WHERE outlet_id IS ? AND next_at <= ? ORDER BY found_at DESC, rowid LIMIT ?

-- name: due_articles
-- Articles of outlet :outlet to look at again, the longest overdue first: where each is asked for; and of those whose
-- extractor is like :feed the words that were kept.
SELECT coalesce((SELECT url FROM addresses WHERE article_id = a.id AND kind = 'canonical'), a.url), a.id, v.title, v.text
FROM articles a LEFT JOIN versions v ON v.id = a.latest_version_id AND v.extractor LIKE :feed
WHERE a.outlet_id IS :outlet AND next_check_at <= :now ORDER BY next_check_at, a.id LIMIT :most

-- name: found
-- An address that a listing named, unless it is known.
INSERT OR IGNORE INTO frontier
  (url, outlet_id, source_id, found_at, backlog, title, published_at, author, content, next_at)
SELECT :url, :outlet_id, :source_id, :at, :backlog, :title, :published_at, :author, :content, :at
WHERE NOT EXISTS (SELECT 1 FROM addresses WHERE url = :url)

-- name: fill_gaps
-- Where the listing that led fails, those behind it are read at :at.
UPDATE sources SET next_at = min(next_at, :at)
WHERE outlet_id = :outlet_id AND position > :position AND failures = 0 AND kind <> 'telegram'

-- name: postpone
-- The article behind an address is looked at no earlier than :at.
UPDATE articles SET next_check_at = :at
WHERE next_check_at < :at AND id = (SELECT article_id FROM addresses WHERE url = :url)

-- name: asked_save
-- What came of an address that was asked for at or after a moment.
SELECT f.outcome AS became, f.article_id, f.error FROM fetches f WHERE f.url = ? AND f.at >= ? ORDER BY f.id DESC LIMIT 1

-- name: asked_crawl
-- What the last crawl of an outlet did that ended at or after a moment.
SELECT outlet_id AS outlet, outcome, discovered, fetched, kept, errors,
  unixepoch(finished_at) - unixepoch(started_at) AS seconds
FROM crawls WHERE outlet_id = ? AND finished_at >= ? ORDER BY id DESC LIMIT 1

-- name: source
-- What visits left of a listing, and whether it leads: it is the first that works. A Telegram channel is content of its
-- own, and neither leads nor is led.
SELECT outlet_id, kind, position, etag, last_modified, first_read_at, last_new_at, usual_gap_s AS gap, failures,
  s.kind <> 'telegram' AND NOT EXISTS (SELECT 1 FROM sources o WHERE o.outlet_id = s.outlet_id
    AND o.position < s.position AND o.failures = 0 AND o.next_at IS NOT NULL AND o.kind <> 'telegram') AS leads
FROM sources s WHERE id = ?

-- name: due_sources
-- The listings of an outlet due at :now, in the columns of frontier.Source; with the leading one, if any other is.
SELECT id, outlet_id, kind, url, etag, last_modified, first_read_at, mark, plain_at, honest FROM sources s
WHERE outlet_id = :id AND (next_at <= :now OR (next_at IS NOT NULL AND failures = 0
  AND s.kind <> 'telegram' AND NOT EXISTS (SELECT 1 FROM sources o WHERE o.outlet_id = s.outlet_id
    AND o.position < s.position AND o.failures = 0 AND o.next_at IS NOT NULL AND o.kind <> 'telegram')
  AND EXISTS (SELECT 1 FROM sources o WHERE o.outlet_id = :id AND o.next_at <= :now AND o.kind <> 'telegram')))
ORDER BY position, id

-- name: listed
-- A listing as the configuration has it; a new one is due at once.
INSERT INTO sources (outlet_id, kind, url, next_at, position) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (outlet_id, url) DO UPDATE SET kind = excluded.kind, position = excluded.position,
  next_at = coalesce(next_at, excluded.next_at)

-- name: ask
-- The running service is asked for something.
INSERT INTO requests (kind, target, at) VALUES (?, ?, ?)

-- name: let_go
-- Of what waits at an outlet beyond so many addresses the oldest goes.
DELETE FROM frontier WHERE rowid IN (
  SELECT rowid FROM frontier WHERE outlet_id = ?1 AND next_at IS NOT NULL ORDER BY found_at, rowid DESC
  LIMIT max(0, (SELECT count(*) FROM frontier WHERE outlet_id = ?1 AND next_at IS NOT NULL) - ?2))
