-- Articles (a JSON list of ids), in the order in which they were seen: id, title, text, and the outlet's name.
SELECT a.id, v.title, v.text, iif(:arabic, o.name_ar, o.name_en)
FROM articles a JOIN versions v ON v.id = a.latest_version_id LEFT JOIN outlets o ON o.id = a.outlet_id
WHERE a.id IN (SELECT value FROM json_each(:articles)) ORDER BY a.first_seen_at, a.id LIMIT :most
