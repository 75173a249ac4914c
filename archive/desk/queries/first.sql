-- title: Who published first
-- description: One row per outlet, earliest first: its first article on these words or this topic, how many it has, and on what the moment rests. A printed day without an hour counts until its end, a printed hour without a zone is taken as UTC, and an unprinted one is when Rasid first saw the article.
-- q: words; empty for all
-- topic: any
-- since: published or seen on or after, 2026-01-21
WITH found AS (
  SELECT a.id, a.outlet_id, v.id AS version_id,
         coalesce(strftime('%Y-%m-%dT%H:%M:%SZ',
           v.published_at || CASE length(v.published_at) WHEN 10 THEN 'T23:59:59' ELSE '' END), a.first_seen_at) AS moment,
         EXISTS (SELECT 1 FROM matches m WHERE m.version_id = v.id AND m.strength = 'substantive'
                 AND :topic IN ('', m.topic)) AS substantive
  FROM articles a JOIN versions v ON v.id = a.latest_version_id
  WHERE (:q = '' OR a.id IN (SELECT rowid FROM articles_fts WHERE articles_fts MATCH ar_query(:q)))
    AND (:topic = '' OR EXISTS (SELECT 1 FROM matches m WHERE m.version_id = v.id AND m.topic = :topic))
), ranked AS (
  -- A bare column beside min() comes from the row that holds it; the id makes that row the same one every time.
  SELECT id, version_id, moment, min(moment || printf(' %019d', id)), count(*) AS articles, sum(substantive) AS about_it
  FROM found WHERE moment >= :since GROUP BY outlet_id
)
SELECT r.moment,
       CASE WHEN v.published_at IS NULL THEN 'first seen'
            WHEN length(v.published_at) = 10 THEN 'printed day'
            WHEN v.published_at GLOB '*[+-][0-9][0-9]:[0-9][0-9]' OR v.published_at GLOB '*Z' THEN 'printed time'
            ELSE 'printed time, no zone' END AS rests_on,
       coalesce(o.name_ar, 'imported') AS outlet, ar_heading(v.title, v.text) AS title, r.articles, r.about_it AS substantive,
       v.published_at, a.first_seen_at, r.id AS article_id, a.url
FROM ranked r
JOIN articles a ON a.id = r.id
JOIN versions v ON v.id = r.version_id
LEFT JOIN outlets o ON o.id = a.outlet_id
ORDER BY r.moment, r.id
LIMIT 200
