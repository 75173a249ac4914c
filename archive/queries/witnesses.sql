-- Look at :most others of an outlet now, that were not seen since.
UPDATE articles SET next_check_at = :at WHERE id IN (
  SELECT id FROM articles WHERE outlet_id IS :outlet AND latest_version_id IS NOT NULL AND status IN ('live', :also)
  AND id != :id AND first_seen_at <= :since AND last_checked_at < :since
  AND EXISTS (SELECT 1 FROM addresses WHERE article_id = articles.id) ORDER BY {order} LIMIT :most)
