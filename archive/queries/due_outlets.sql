-- Outlets with something due at :now, the longest overdue first; and whether any of it is new, no article to revisit.
SELECT outlet_id, max(new) FROM (
  SELECT outlet_id, next_at, 1 AS new FROM sources WHERE next_at <= :now
  UNION ALL SELECT outlet_id, next_at, 1 FROM frontier WHERE next_at <= :now
  UNION ALL SELECT outlet_id, next_check_at, 0 FROM articles WHERE next_check_at <= :now)
WHERE outlet_id IS NOT NULL GROUP BY outlet_id ORDER BY min(next_at), outlet_id
