-- Articles that were passed over, with their newest capture since a moment.
SELECT a.id AS article_id, a.outlet_id, o.timezone, o.name_ar, max(c.id) AS capture_id
FROM articles a JOIN captures c ON c.article_id = a.id AND c.series = 'passed' LEFT JOIN outlets o ON o.id = a.outlet_id
WHERE a.latest_version_id IS NULL AND c.at >= ? GROUP BY a.id ORDER BY a.id
