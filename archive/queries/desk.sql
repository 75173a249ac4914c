-- name: home
-- What there is, in numbers.
SELECT coalesce(sum(number) FILTER (WHERE name = 'kept'), 0) AS kept,
       coalesce(sum(number) FILTER (WHERE name = 'events' AND of = 'edited'), 0) AS edits,
       coalesce(sum(number) FILTER (WHERE name = 'withdrawn'), 0) AS withdrawn,
       coalesce(sum(number) FILTER (WHERE name = 'versions'), 0) AS versions,
       (SELECT count(*) FROM outlets o WHERE EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id)
          OR EXISTS (SELECT 1 FROM articles WHERE outlet_id = o.id)) AS outlets,
       (SELECT max(at) FROM fetches) AS last_look
FROM tallies

-- name: topics
-- How many articles are on each topic.
SELECT of AS topic, sum(iif(name = 'substantive', number, 0)) AS substantive, sum(iif(name = 'passing', number, 0)) AS passing
FROM tallies WHERE name IN ('substantive', 'passing') AND number > 0 GROUP BY of ORDER BY substantive DESC, topic

-- name: feed
-- The newest articles on a topic, with what a feed says of each.
WITH newest AS (
  SELECT m.version_id FROM matches m JOIN articles a ON a.latest_version_id = m.version_id
  WHERE m.topic = :topic AND m.strength = 'substantive' ORDER BY m.version_id DESC LIMIT 50
)
SELECT a.id AS article_id, a.url, v.title, v.text, v.author, v.published_at, v.captured_at AS updated,
       coalesce(o.name_ar, '') AS outlet
FROM newest JOIN versions v ON v.id = newest.version_id JOIN articles a ON a.id = v.article_id
LEFT JOIN outlets o ON o.id = a.outlet_id ORDER BY v.captured_at DESC, a.id DESC

-- name: article
-- An article with its outlet.
SELECT a.id, a.outlet_id, a.url, a.status, a.suspect_at, a.gone_at, a.backlog, a.first_seen_at, a.last_checked_at,
       a.next_check_at, a.latest_version_id, o.name_ar, o.name_en, o.country, o.kind AS outlet_kind,
       (SELECT m.article_id FROM addresses m WHERE m.url = a.url AND m.article_id <> a.id) AS goes_on_as
FROM articles a LEFT JOIN outlets o ON o.id = a.outlet_id WHERE a.id = :id

-- name: versions
-- The versions of an article, the newest first.
SELECT h.number, h.version_id, h.captured_at, h.title, h.author, h.published_at, h.published_source, h.modified_at,
       h.credit, h.extractor, h.text, h.capture_id, v.text_sha256, l.seq AS ledger_seq
FROM history h JOIN versions v ON v.id = h.version_id LEFT JOIN ledger l ON l.version_id = h.version_id
WHERE h.article_id = :id ORDER BY h.number DESC

-- name: captures
-- The captures of an article, the newest first.
SELECT id, at, http_status, series, file, offset, length, record_sha256, url FROM captures
WHERE article_id = :id ORDER BY at DESC, id DESC LIMIT 100

-- name: events
-- What happened to an article.
SELECT at, kind FROM events WHERE article_id = :id ORDER BY at, id LIMIT 200

-- name: told
-- What a version names and counts, in words.
SELECT what, words FROM (
  SELECT 'places' AS what, name_ar AS words, field, start FROM mentions JOIN places ON id = place_id
  WHERE version_id = :version
  UNION ALL SELECT 'figures', CASE WHEN low = high THEN iif(approx, 'about ', '') || low
    WHEN low IS NULL AND high IS NULL THEN 'not told how many' WHEN high IS NULL THEN low || ' or more'
    WHEN low IS NULL THEN 'at most ' || high ELSE low || ' to ' || high END || ' ' || replace(counted, '_', ' ')
    || coalesce(' ' || replace(act, '_', ' '), '') || coalesce(' (' || said_by || ')', ''), field, start
  FROM figures WHERE version_id = :version
) GROUP BY what, words ORDER BY what DESC, min(field = 'text'), min(start)

-- name: base
-- The version that the newest one of an article is based on, where it tells another's words; and the newest of that
-- other article, where it is a later one.
SELECT v.* FROM story_articles s JOIN versions b ON b.id = s.based_on_version_id JOIN articles o ON o.id = b.article_id
JOIN versions v ON v.id IN (b.id, iif((SELECT (n.captured_at, n.id) > (b.captured_at, b.id) FROM versions n
                                       WHERE n.id = o.latest_version_id), o.latest_version_id, b.id))
JOIN articles a ON a.id = s.article_id AND a.latest_version_id IS NOT NULL
WHERE s.article_id = :id ORDER BY v.id <> b.id

-- name: members
-- Of the articles in the story of one: what their outlet and the one they credit are called, and the number of the
-- version that follows the one they are based on.
SELECT s.article_id, coalesce(o.name_ar, a.outlet_id, 'imported') AS outlet,
       coalesce(c.name_ar, s.credited_outlet_id, '') AS credits,
       (SELECT count(*) + 1 FROM versions n WHERE n.article_id = b.article_id
        AND (n.captured_at, n.id) <= (b.captured_at, b.id)) AS lacks
FROM story_articles s JOIN articles a ON a.id = s.article_id LEFT JOIN outlets o ON o.id = a.outlet_id
LEFT JOIN outlets c ON c.id = s.credited_outlet_id LEFT JOIN versions b ON b.id = s.based_on_version_id
WHERE s.story_id = (SELECT story_id FROM story_articles WHERE article_id = :id)
