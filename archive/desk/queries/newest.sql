-- title: Newest on a topic
-- description: The 100 newest kept articles, by printed publication time where one is known and by first sight where not.
-- topic: any, for instance isis_detainees
-- strength: both; or substantive, passing
-- outlet: any outlet id
WITH dated AS MATERIALIZED (
  SELECT a.id, a.dated_at FROM articles a
  WHERE a.latest_version_id IS NOT NULL AND :outlet IN ('', a.outlet_id)
    AND (:topic = '' AND :strength = ''
         OR EXISTS (SELECT 1 FROM matches m WHERE m.version_id = a.latest_version_id
                    AND :topic IN ('', m.topic) AND :strength IN ('', m.strength)))
  ORDER BY a.dated_at DESC, a.id DESC
  LIMIT 100
)
SELECT l.article_id, ar_heading(l.title, l.text) AS title, coalesce(o.name_ar, 'imported') AS outlet, l.published_at, l.first_seen_at, l.status,
       l.versions, l.topics, l.passing, l.url
FROM dated JOIN latest l ON l.article_id = dated.id LEFT JOIN outlets o ON o.id = l.outlet_id
ORDER BY dated.dated_at DESC, dated.id DESC
