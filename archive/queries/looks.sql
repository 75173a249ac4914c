-- name: readdress
-- An article is asked for at another of its addresses.
UPDATE addresses SET kind = iif(url = ?1, 'canonical', 'moved')
WHERE article_id = ?2 AND (url = ?1 OR kind = 'canonical')

-- name: heard
-- Whether anything of an outlet but an article answered well since a moment.
SELECT 1 FROM fetches
WHERE outlet_id = ? AND at >= ? AND article_id IS NOT ? AND outcome IN ('ok', 'unchanged', 'moved') LIMIT 1

-- name: covered
-- A look, or a new article, is counted in its hour.
INSERT INTO coverage (outlet_id, hour, looks, {found}) VALUES (?, ?, ?, 1)
ON CONFLICT (outlet_id, hour) DO UPDATE SET looks = looks + excluded.looks, {found} = {found} + 1

-- name: first_missed
-- When the first article of an outlet was missed, since article :id was seen, of those that are missing, or that are
-- withdrawn since it was missed and were so within the hour before it.
SELECT min(suspect_at) FROM articles
WHERE outlet_id IS :outlet AND suspect_at >= coalesce(
    (SELECT max(at) FROM fetches WHERE article_id = :id AND outcome IN ('ok', 'unchanged', 'moved')),
    (SELECT first_seen_at FROM articles WHERE id = :id))
  AND (status = 'suspect' OR (status = 'gone' AND gone_at >= :missed AND suspect_at >= :hour_before))

-- name: answered_elsewhere
-- The address that an article was last captured at, unless it is the one :asked for, or that one ever answered.
SELECT url FROM (
  SELECT url FROM captures JOIN addresses USING (url, article_id) WHERE article_id = :id
  ORDER BY at DESC, captures.id DESC LIMIT 1)
WHERE url <> :asked
  AND NOT EXISTS (SELECT 1 FROM fetches WHERE article_id = :id AND url = :asked AND outcome IN ('ok', 'unchanged'))

-- name: peers
-- Of the kept articles of an outlet that were there at :since, the :most nearest to :id by when they were found (-1: all):
-- how many are missing, and how many were seen since.
SELECT count(*) FILTER (WHERE status = 'suspect' OR (status = 'gone' AND suspect_at >= :since)),
  count(*) FILTER (WHERE status = 'live' AND last_checked_at >= :since)
FROM (SELECT status, suspect_at, last_checked_at FROM articles
  WHERE outlet_id IS :outlet AND latest_version_id IS NOT NULL AND first_seen_at <= :since
  ORDER BY abs(id - :id) LIMIT :most)

-- name: witnesses
-- Look at :most others of an outlet now, that were not seen since.
UPDATE articles SET next_check_at = :at WHERE id IN (
  SELECT id FROM articles WHERE outlet_id IS :outlet AND latest_version_id IS NOT NULL AND status IN ('live', :also)
  AND id != :id AND first_seen_at <= :since AND last_checked_at < :since
  AND EXISTS (SELECT 1 FROM addresses WHERE article_id = articles.id) ORDER BY {order} LIMIT :most)
