-- name: kept
-- Kept articles whose newest version was captured at or after a moment: its words, and the topics it is on.
SELECT a.id AS article_id, v.id AS version_id, v.title, v.text,
  (SELECT json_group_object(topic, strength) FROM matches m WHERE m.version_id = v.id) AS was
FROM articles a JOIN versions v ON v.id = a.latest_version_id WHERE v.captured_at >= ? ORDER BY a.id

-- name: passed
-- Articles that were passed over, with their newest capture since a moment.
SELECT a.id AS article_id, a.outlet_id, o.timezone, o.name_ar, max(c.id) AS capture_id
FROM articles a JOIN captures c ON c.article_id = a.id AND c.series = 'passed' LEFT JOIN outlets o ON o.id = a.outlet_id
WHERE a.latest_version_id IS NULL AND c.at >= ? GROUP BY a.id ORDER BY a.id
