-- What a search finds, best first: of more than :most articles the newest, and the newest of those that say it all in
-- their title.
WITH found (id) AS MATERIALIZED (
  SELECT * FROM (SELECT f.rowid FROM articles_fts f CROSS JOIN articles a ON a.id = f.rowid
    WHERE articles_fts MATCH :all AND f.rowid BETWEEN :first AND :last AND a.first_seen_at >= :since
    AND a.first_seen_at < :until ORDER BY f.rowid DESC LIMIT :most)
  UNION
  SELECT * FROM (SELECT f.rowid FROM articles_fts f CROSS JOIN articles a ON a.id = f.rowid
    WHERE articles_fts MATCH :title AND f.rowid BETWEEN :first AND :last AND a.first_seen_at >= :since
    AND a.first_seen_at < :until ORDER BY f.rowid DESC LIMIT :most)
), ranked AS MATERIALIZED (
  SELECT id, ar_score(f.title, f.text, :query) AS score FROM found CROSS JOIN articles_fts f ON f.rowid = found.id
  ORDER BY score DESC, id DESC LIMIT :limit
)
SELECT a.id, a.outlet_id, a.url, a.status, v.title, v.published_at, v.text
FROM ranked CROSS JOIN articles a USING (id) JOIN versions v ON v.id = a.latest_version_id
ORDER BY score DESC, a.id DESC
