-- Lines of an outlet that stand in so many articles, and in such a share of those found since the line was.
SELECT folded FROM outlet_lines l WHERE outlet_id = ? AND articles >= ? AND articles >= ? *
  (SELECT count(*) FROM articles a WHERE a.outlet_id = l.outlet_id AND a.first_seen_at >= l.first_at)
ORDER BY folded
