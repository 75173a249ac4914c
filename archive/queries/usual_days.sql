-- Per outlet and day, 0 being the last 24 hours: articles found and looks that were answered.
SELECT outlet_id, CAST(julianday(:now) - julianday(hour) AS INTEGER), sum(new_articles), sum(ok)
FROM coverage WHERE hour > :since AND hour <= :now GROUP BY 1, 2
