-- Of the articles of an outlet in a window, the newest: the length of the text, and whether it is dated.
SELECT length(v.text), v.published_at IS NOT NULL FROM articles a JOIN versions v ON v.id = a.latest_version_id
WHERE a.outlet_id = :outlet AND a.first_seen_at > :since AND a.first_seen_at <= :until
ORDER BY a.first_seen_at DESC LIMIT 100
