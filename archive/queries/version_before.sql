-- The version of the same article before a version.
SELECT v.id FROM versions v JOIN versions n ON n.id = ? AND v.article_id = n.article_id
WHERE (v.captured_at, v.id) < (n.captured_at, n.id) ORDER BY v.captured_at DESC, v.id DESC LIMIT 1
