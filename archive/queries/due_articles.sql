-- Articles of outlet :outlet to look at again, the longest overdue first: where each is asked for; and of those whose
-- extractor is like :feed the words that were kept.
SELECT coalesce((SELECT url FROM addresses WHERE article_id = a.id AND kind = 'canonical'), a.url), a.id, v.title, v.text
FROM articles a LEFT JOIN versions v ON v.id = a.latest_version_id AND v.extractor LIKE :feed
WHERE a.outlet_id IS :outlet AND next_check_at <= :now ORDER BY next_check_at, a.id LIMIT :most
