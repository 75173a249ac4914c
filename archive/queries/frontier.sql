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
WHERE outlet_id = :outlet AND position > :position AND failures = 0 AND kind <> 'telegram'

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
