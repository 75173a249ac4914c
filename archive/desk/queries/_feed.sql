WITH newest AS (
  SELECT m.version_id FROM matches m JOIN articles a ON a.latest_version_id = m.version_id
  WHERE m.topic = :topic AND m.strength = 'substantive' ORDER BY m.version_id DESC LIMIT 50
)
SELECT a.id AS article_id, a.url, v.title, v.text, v.author, v.published_at, v.captured_at AS updated,
       coalesce(o.name_ar, '') AS outlet
FROM newest JOIN versions v ON v.id = newest.version_id JOIN articles a ON a.id = v.article_id
LEFT JOIN outlets o ON o.id = a.outlet_id ORDER BY v.captured_at DESC, a.id DESC
