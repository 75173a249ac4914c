-- name: visited
-- Outlets whose listings were read since a moment.
SELECT DISTINCT outlet_id FROM fetches WHERE at >= ? AND article_id IS NULL AND outcome IN ('ok', 'unchanged')

-- name: substantive
-- Addresses of what is kept as really on a topic.
SELECT url FROM latest WHERE topics IS NOT NULL

-- name: told
-- Mails sent, by kind of event.
SELECT e.kind, count(*) AS mails FROM mails m JOIN mail_events t ON t.mail_id = m.id JOIN events e ON e.id = t.event_id
WHERE m.state = 'sent' GROUP BY e.kind

-- name: edited
SELECT 1 FROM latest WHERE url = ? AND versions > 1

-- name: read
-- Whether an article was read after pages were changed, and is as it was.
SELECT 1 FROM fetches f JOIN articles a ON a.id = f.article_id
WHERE a.url = ? AND f.status = 200 AND f.outcome = 'unchanged' AND f.at > (SELECT min(at) FROM events WHERE kind = 'edited')

-- name: gone
SELECT 1 FROM latest WHERE url = ? AND status = 'gone'

-- name: counts
-- Articles kept, those of them on a topic, articles found, versions, mails, looks that found no change.
SELECT count(*) AS kept, count(topics) AS substantive, (SELECT count(*) FROM articles) AS found,
  (SELECT count(*) FROM versions) AS versions, (SELECT count(*) FROM mails) AS mails,
  (SELECT count(*) FROM fetches WHERE outcome = 'unchanged') AS unchanged
FROM latest

-- name: kept
-- What is shown of each kept article.
SELECT l.article_id AS id, o.name_en AS outlet, l.status, l.versions, l.published_at AS published, l.credit,
  l.topics AS substantive, l.passing, substr(l.title, 1, 50) AS title
FROM latest l JOIN outlets o ON o.id = l.outlet_id ORDER BY l.topics IS NULL, l.article_id
