-- name: days
-- Per outlet and day, 0 being the last 24 hours: articles found and looks that were answered.
SELECT outlet_id, CAST(julianday(:now) - julianday(hour) AS INTEGER), sum(new_articles), sum(ok)
FROM coverage WHERE hour > :since AND hour <= :now GROUP BY 1, 2

-- name: texts
-- Of the articles of an outlet in a window, the newest: the length of the text, and whether it is dated.
SELECT length(v.text), v.published_at IS NOT NULL FROM articles a JOIN versions v ON v.id = a.latest_version_id
WHERE a.outlet_id = :outlet AND a.first_seen_at > :since AND a.first_seen_at <= :until
ORDER BY a.first_seen_at DESC LIMIT 100

-- name: pages
-- Of the pages of an outlet that answered in a window, the newest: whether it gave no article.
SELECT outcome <> 'ok' FROM fetches WHERE outlet_id = :outlet AND at > :since AND at <= :until
AND source_id IS NULL AND outcome IN ('ok', 'not_article', 'unreadable') ORDER BY at DESC LIMIT 300
