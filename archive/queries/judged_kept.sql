-- Kept articles whose newest version was captured at or after a moment: its words, and the topics it is on.
SELECT a.id AS article_id, v.id AS version_id, v.title, v.text,
  (SELECT json_group_object(topic, strength) FROM matches m WHERE m.version_id = v.id) AS was
FROM articles a JOIN versions v ON v.id = a.latest_version_id WHERE v.captured_at >= ? ORDER BY a.id
