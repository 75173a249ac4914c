-- Of the kept articles of an outlet that were there at :since, the :most nearest to :id by when they were found (-1: all):
-- how many are missing, and how many were seen since.
SELECT count(*) FILTER (WHERE status = 'suspect' OR (status = 'gone' AND suspect_at >= :since)),
  count(*) FILTER (WHERE status = 'live' AND last_checked_at >= :since)
FROM (SELECT status, suspect_at, last_checked_at FROM articles
  WHERE outlet_id IS :outlet AND latest_version_id IS NOT NULL AND first_seen_at <= :since
  ORDER BY abs(id - :id) LIMIT :most)
