-- name: article
-- Articles with their newest version, in the columns of reading.ArticleRow.
SELECT a.id, a.outlet_id, a.url, a.status, a.gone_at, a.backlog, a.first_seen_at, a.last_checked_at, a.next_check_at,
  v.id, v.title, v.text, v.author, v.published_at, v.published_source, v.credit, v.language,
  (SELECT m.article_id FROM addresses m WHERE m.url = a.url AND m.article_id <> a.id)
FROM articles a LEFT JOIN versions v ON v.id = a.latest_version_id

-- name: version
-- Versions, in the columns of reading.VersionRow.
SELECT (SELECT count(*) FROM versions n WHERE n.article_id = v.article_id
  AND (n.captured_at, n.id) <= (v.captured_at, v.id)),
  v.id, v.article_id, v.capture_id, v.captured_at, v.title, v.text, v.author, v.section, v.published_at,
  v.published_source, v.modified_at, v.credit, v.language, v.extractor, v.text_sha256
FROM versions v

-- name: matches
-- The topics of a version, the strongest first, each with its passages; one row without a passage where it has none.
SELECT m.topic, m.strength, m.score, p.field, p.start, p."end", p.term, p.surface
FROM matches m LEFT JOIN passages p ON p.version_id = m.version_id AND p.topic = m.topic
WHERE m.version_id = :version ORDER BY m.strength DESC, m.score DESC, m.topic, p.field DESC, p.start

-- name: labels
-- Of each topic an editor's newest verdict on an article, on whichever version it was given.
SELECT l.topic, l.verdict, max(l.at) AS at FROM labels l JOIN versions v ON v.id = l.version_id
WHERE v.article_id = ? GROUP BY 1 ORDER BY 1

-- name: found
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

-- name: stories
-- An article of each story that one told first at or after a moment, the latest told first.
SELECT min(s.article_id) FROM story_articles s JOIN articles a ON a.id = s.article_id GROUP BY s.story_id
HAVING max(a.first_seen_at) >= ? ORDER BY max(a.first_seen_at) DESC, s.story_id DESC LIMIT ?

-- name: drifts
-- Per outlet the lines that many articles gained or lost alike, one of them for all.
SELECT outlet_id, max(articles), count(*), max(last_at), coalesce(inserted, removed) FROM drift
GROUP BY outlet_id ORDER BY outlet_id

-- name: coverage
-- Every outlet that is switched on, or was looked at in the window [:since, :until) of whole hours.
SELECT o.id, o.name_ar, coalesce(sum(c.looks), 0), coalesce(sum(c.ok), 0), coalesce(sum(c.blocked), 0),
       coalesce(sum(c.outage), 0), coalesce(sum(c.new_articles), 0)
FROM outlets o LEFT JOIN coverage c ON c.outlet_id = o.id AND c.hour >= substr(:since, 1, 13) AND c.hour < :until
WHERE c.hour IS NOT NULL OR EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id AND next_at IS NOT NULL)
GROUP BY o.id ORDER BY o.id

-- name: counts
-- How much there is of what.
WITH tally (name, number) AS (SELECT name, sum(number) FROM tallies GROUP BY name)
SELECT coalesce((SELECT number FROM tally WHERE name = 'kept'), 0) AS kept,
  coalesce((SELECT number FROM tally WHERE name = 'articles'), 0)
    - coalesce((SELECT number FROM tally WHERE name = 'kept'), 0) AS passed,
  coalesce((SELECT number FROM tally WHERE name = 'versions'), 0) AS versions,
  coalesce((SELECT number FROM tally WHERE name = 'withdrawn'), 0) AS withdrawn,
  (SELECT count(*) FROM articles WHERE status <> 'live' AND status = 'suspect') AS "missing, in doubt",
  (SELECT count(*) FROM frontier WHERE next_at IS NOT NULL) AS "to fetch",
  (SELECT count(*) FROM frontier WHERE next_at IS NULL) AS "given up",
  (SELECT count(*) FROM articles WHERE next_check_at IS NOT NULL) AS "to look at again",
  (SELECT count(*) FROM mails WHERE state = 'queued') AS "mails waiting",
  (SELECT count(*) FROM mails WHERE state = 'failed') AS "mails failed"

-- name: health
-- How each outlet answered, in the columns of reading.OutletHealth; then after how many seconds it is silent.
SELECT o.id, o.name_ar,
  (SELECT at FROM fetches WHERE outlet_id = o.id AND outcome IN {ANSWERED} ORDER BY at DESC LIMIT 1),
  (SELECT max(last_new_at) FROM sources WHERE outlet_id = o.id),
  coalesce((SELECT number FROM tallies WHERE name = 'articles' AND of = o.id), 0),
  coalesce((SELECT number FROM tallies WHERE name = 'kept' AND of = o.id), 0),
  (SELECT count(*) FROM fetches WHERE outlet_id = o.id AND at > :day),
  (SELECT count(*) FROM fetches WHERE outlet_id = o.id AND at > :day AND outcome NOT IN {ANSWERED}),
  (SELECT outcome || coalesce(': ' || error, '') FROM fetches WHERE outlet_id = o.id AND outcome NOT IN {ANSWERED}
     ORDER BY at DESC, id DESC LIMIT 1),
  (SELECT min(next_at) FROM sources WHERE outlet_id = o.id),
  (SELECT max(max({SILENT_AFTER}, 5 * coalesce(usual_gap_s, 0))) FROM sources WHERE outlet_id = o.id)
FROM outlets o
WHERE EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id) OR EXISTS (SELECT 1 FROM articles WHERE outlet_id = o.id)
ORDER BY o.id

-- name: looks
-- The last looks at an outlet: whether at a page, and what came of it.
SELECT source_id IS NULL, outcome FROM fetches WHERE outlet_id = ? ORDER BY at DESC, id DESC LIMIT 20

-- name: missing
-- Of the kept articles of an outlet that are missing, or were looked at since a moment: how many are missing, and all.
SELECT coalesce(sum(status = 'suspect'), 0), count(*) FROM articles
WHERE latest_version_id IS NOT NULL AND status <> 'gone' AND id IN (
  SELECT id FROM articles WHERE outlet_id = ?1 AND latest_version_id IS NOT NULL AND last_checked_at > ?2
  UNION SELECT id FROM articles WHERE outlet_id = ?1 AND status <> 'live')

-- name: kept
-- Behind reading.article: kept ones first seen at :since or later, the newest first; on a topic, of an outlet.
WHERE v.id IS NOT NULL AND a.first_seen_at >= :since AND (:outlet_id IS NULL OR a.outlet_id = :outlet_id)
  AND (:topic IS NULL OR EXISTS (SELECT 1 FROM matches WHERE version_id = v.id AND topic = :topic))
ORDER BY a.first_seen_at DESC, a.id DESC LIMIT :limit

-- name: events
-- What was worth telling since a moment, the newest first, in the columns of models.Event.
SELECT id, at, kind, article_id, version_id, backlog FROM events WHERE at >= ? ORDER BY id DESC LIMIT ?
