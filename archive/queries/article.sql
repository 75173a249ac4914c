-- Articles with their newest version, in the columns of reading.ArticleRow.
SELECT a.id, a.outlet_id, a.url, a.status, a.gone_at, a.backlog, a.first_seen_at, a.last_checked_at, a.next_check_at,
  v.id, v.title, v.text, v.author, v.published_at, v.published_source, v.credit, v.language,
  (SELECT m.article_id FROM addresses m WHERE m.url = a.url AND m.article_id <> a.id)
FROM articles a LEFT JOIN versions v ON v.id = a.latest_version_id
