-- name: neighbour
-- The version of an article next to a moment.
SELECT id, captured_at, title, text, author, published_at, published_source, modified_at, section, credit, language,
  extractor
FROM versions WHERE article_id = ? AND captured_at {test} ? ORDER BY captured_at {order}, id {order} LIMIT 1

-- name: seen
-- An article answered.
UPDATE articles SET status = 'live', suspect_at = NULL, gone_at = NULL, last_checked_at = ?, next_check_at = ?
WHERE id = ?

-- name: looked
-- An article was looked at; one that is never looked at again stays so.
UPDATE articles SET last_checked_at = ?, next_check_at = iif(next_check_at IS NULL, NULL, ?) WHERE id = ?

-- name: match
-- A version is on a topic.
INSERT INTO matches (version_id, topic, rule_set_id, strength, score) VALUES (?, ?, ?, ?, ?)
