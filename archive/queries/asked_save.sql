-- What came of an address that was asked for at or after a moment.
SELECT f.outcome AS became, f.article_id, f.error FROM fetches f WHERE f.url = ? AND f.at >= ? ORDER BY f.id DESC LIMIT 1
