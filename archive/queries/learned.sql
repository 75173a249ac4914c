-- name: furniture
-- Lines of an outlet that stand in so many articles, and in such a share of those found since the line was.
SELECT folded FROM outlet_lines l WHERE outlet_id = ? AND articles >= ? AND articles >= ? *
  (SELECT count(*) FROM articles a WHERE a.outlet_id = l.outlet_id AND a.first_seen_at >= l.first_at)
ORDER BY folded

-- name: count
-- A line stood at the edge of one more article.
INSERT INTO outlet_lines VALUES (:outlet, :folded, :line, 1, :at, :at)
ON CONFLICT DO UPDATE SET articles = articles + 1, last_at = max(last_at, excluded.last_at)
