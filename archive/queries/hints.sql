-- name: modified
-- The kept article behind an address, what listings last said of it, and when it was looked at.
SELECT a.id, a.modified_hint, a.last_checked_at FROM addresses d JOIN articles a ON a.id = d.article_id
WHERE d.url = ? AND a.latest_version_id IS NOT NULL

-- name: withdrawn
-- The withdrawn articles behind a JSON list of addresses: since when, and when each was looked at.
SELECT DISTINCT a.id, a.gone_at, a.last_checked_at
FROM json_each(?) JOIN addresses d ON d.url = value JOIN articles a ON a.id = d.article_id
WHERE a.status = 'gone' AND a.latest_version_id IS NOT NULL

-- name: sooner
-- An article is looked at no later than at a moment.
UPDATE articles SET next_check_at = min(coalesce(next_check_at, ?1), ?1) WHERE id = ?2
