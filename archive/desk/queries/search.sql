-- title: Search the archive
-- description: Kept articles whose latest text holds these words, best match first; of more than 200 the newest, and the newest that say it all in their title. Words are joined by AND; "phrases", OR, NOT, -word, word* and NEAR(a b, 5) work; spelling variants, the article and attached particles are found without asking.
-- q: words, for instance معتقلين قسد
-- topic: any
-- outlet: any outlet id
-- since: first seen on or after, 2026-01-21
WITH found(id) AS MATERIALIZED (
  SELECT * FROM (SELECT f.rowid FROM articles_fts f CROSS JOIN articles a ON a.id = f.rowid
    WHERE articles_fts MATCH ar_query(:q) AND :outlet IN ('', a.outlet_id) AND a.first_seen_at >= :since
      AND f.rowid >= iif(:since = '', 0, (SELECT min(id) FROM articles WHERE first_seen_at >= :since))
      AND (:topic = '' OR EXISTS (SELECT 1 FROM matches m WHERE m.version_id = a.latest_version_id AND m.topic = :topic))
    ORDER BY f.rowid DESC LIMIT 200)
  UNION
  SELECT * FROM (SELECT f.rowid FROM articles_fts f CROSS JOIN articles a ON a.id = f.rowid
    WHERE articles_fts MATCH ar_title_query(:q) AND :outlet IN ('', a.outlet_id) AND a.first_seen_at >= :since
      AND f.rowid >= iif(:since = '', 0, (SELECT min(id) FROM articles WHERE first_seen_at >= :since))
      AND (:topic = '' OR EXISTS (SELECT 1 FROM matches m WHERE m.version_id = a.latest_version_id AND m.topic = :topic))
    ORDER BY f.rowid DESC LIMIT 200)
), hits AS MATERIALIZED (
  SELECT found.id, ar_score(f.title, f.text, :q) AS score FROM found CROSS JOIN articles_fts f ON f.rowid = found.id
  ORDER BY score DESC, found.id DESC LIMIT 100
)
SELECT ar_heading(l.title, l.text) AS title, ar_snippet(l.text, :q) AS snippet, coalesce(o.name_ar, 'imported') AS outlet, l.published_at,
       l.first_seen_at, l.status, l.topics, l.article_id, l.url
FROM hits JOIN latest l ON l.article_id = hits.id LEFT JOIN outlets o ON o.id = l.outlet_id
ORDER BY hits.score DESC, hits.id DESC
