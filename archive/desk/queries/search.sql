-- title: Search the archive
-- description: Kept articles whose latest text holds these words, best match first, copies and rewrites told once with how many they are; of more than 200 the newest, and the newest that say it all in their title. Words are joined by AND; "phrases", OR, NOT, -word, word* and NEAR(a b, 5) work; spelling variants, the article and attached particles are found without asking.
-- q: words, for instance معتقلين قسد
-- topic: any
-- outlet: any outlet id
-- since: first seen on or after, 2026-01-21
-- copies: told once; or all, each in a row
WITH RECURSIVE found(id) AS MATERIALIZED (
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
), up(id, root) AS (
  SELECT id, id FROM hits WHERE :copies = ''
  UNION SELECT up.id, v.article_id FROM up JOIN story_articles s ON s.article_id = up.root
  JOIN versions v ON v.id = s.based_on_version_id
), roots(id, root) AS MATERIALIZED (
  SELECT id, root FROM up
  WHERE NOT EXISTS (SELECT 1 FROM story_articles WHERE article_id = up.root AND based_on_version_id IS NOT NULL)
), folded AS MATERIALIZED (
  SELECT hits.id, max(score) OVER same AS score, count(*) OVER same - 1 AS copies,
         row_number() OVER (same ORDER BY hits.id <> root, score DESC, hits.id DESC) AS place
  FROM hits LEFT JOIN roots USING (id) WINDOW same AS (PARTITION BY coalesce(root, hits.id))
)
SELECT ar_heading(l.title, l.text) AS title, nullif(folded.copies, 0) AS copies, ar_snippet(l.text, :q) AS snippet,
       coalesce(o.name_ar, 'imported') AS outlet, l.published_at, l.first_seen_at, l.status, l.topics, l.article_id, l.url
FROM folded JOIN latest l ON l.article_id = folded.id LEFT JOIN outlets o ON o.id = l.outlet_id
WHERE folded.place = 1 ORDER BY folded.score DESC, folded.id DESC
