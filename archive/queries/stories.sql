-- name: order
-- What the articles of a story are in order of: the ten minutes in which one was seen, or the hour of one that was old
-- when found; within these the moment it prints, where that has a minute and a zone, else when it was seen.
SELECT substr(seen, 1, iif(backlog, 13, 15)) || ' ' || min(seen, coalesce(printed, seen)) FROM (
  SELECT min(a.first_seen_at, min(captured_at)) AS seen, a.backlog AS backlog,
    min(strftime('%Y-%m-%dT%H:%M:%SZ', published_at))
      FILTER (WHERE published_at GLOB '*T*Z' OR published_at GLOB '*T*[+-]??:??') AS printed
  FROM versions WHERE article_id = a.id)

-- name: members
-- Of some articles what is compared: its newest version, and when each was told and seen.
SELECT ({ORDER}), min(a.first_seen_at, (SELECT min(captured_at) FROM versions WHERE article_id = a.id)), a.id,
       a.outlet_id, v.title, v.text, v.published_at, v.credit_outlet_id, v.id,
       (SELECT count(*) FROM versions WHERE article_id = a.id)
FROM articles a JOIN versions v ON v.id = a.latest_version_id WHERE a.id IN (SELECT value FROM json_each(?))

-- name: fellows
-- Which articles are in the stories of some.
SELECT article_id, story_id FROM story_articles WHERE story_id IN (
  SELECT story_id FROM story_articles WHERE article_id IN (SELECT value FROM json_each(?)))

-- name: first
-- What was told first of a story.
SELECT s.article_id FROM story_articles s JOIN articles a ON a.id = s.article_id WHERE s.story_id = ?
ORDER BY ({ORDER}), a.id LIMIT 1

-- name: place
-- An article goes into a story.
INSERT INTO story_articles (article_id, story_id, kind, credited_outlet_id)
SELECT a.id, ?1, 'same_event', v.credit_outlet_id FROM articles a JOIN versions v ON v.id = a.latest_version_id
WHERE a.id = ?2 ON CONFLICT DO UPDATE SET story_id = excluded.story_id, credited_outlet_id = excluded.credited_outlet_id

-- name: lead
-- The first of a story is its original, and nothing else is.
UPDATE story_articles SET similarity = NULL, based_on_version_id = NULL,
  kind = iif(article_id = ?1, 'original', 'same_event')
WHERE article_id = ?1 OR (story_id = ?2 AND kind = 'original')

-- name: turned
-- What had its words from an article that proves to be the later one has them no more.
UPDATE story_articles SET kind = 'same_event', similarity = NULL, based_on_version_id = NULL
WHERE article_id = ? AND based_on_version_id IN (SELECT id FROM versions WHERE article_id = ?)

-- name: counted
-- How many articles of some days have each of some words; no more than ?3 a day are counted.
SELECT t.value, sum((SELECT count(*) FROM (SELECT 1 FROM story_terms WHERE day = d.value AND term = t.value LIMIT ?3)))
FROM json_each(?1) t, json_each(?2) d GROUP BY 1

-- name: sharing
-- The articles of some days that share most of some words, by what these weigh.
SELECT article_id FROM json_each(?1) t CROSS JOIN json_each(?2) d
JOIN story_terms s ON s.day = d.value AND s.term = CAST(t.key AS INTEGER)
WHERE article_id <> ?3 GROUP BY article_id HAVING sum(t.value) >= ?4
ORDER BY sum(t.value) DESC, article_id LIMIT ?5

-- name: roots
-- Whose words each of some articles has in the end: its own, or those of what it is a copy or rewrite of, and so on up.
WITH RECURSIVE up (article_id, root) AS (
  SELECT value, value FROM json_each(:ids)
  UNION SELECT up.article_id, v.article_id FROM up JOIN story_articles s ON s.article_id = up.root
  JOIN versions v ON v.id = s.based_on_version_id
) SELECT article_id, root FROM up
WHERE NOT EXISTS (SELECT 1 FROM story_articles WHERE article_id = up.root AND based_on_version_id IS NOT NULL)

-- name: story
-- The story of an article.
SELECT s.story_id, s.article_id, a.outlet_id, a.url, a.status, v.title, v.text, a.first_seen_at, v.published_at, s.kind,
       s.similarity, b.article_id AS based_on_article_id, s.based_on_version_id, s.credited_outlet_id,
       EXISTS (SELECT 1 FROM versions n WHERE n.article_id = b.article_id
               AND (n.captured_at, n.id) > (b.captured_at, b.id)) AS lacks_correction
FROM story_articles s JOIN articles a ON a.id = s.article_id JOIN versions v ON v.id = a.latest_version_id
LEFT JOIN versions b ON b.id = s.based_on_version_id
WHERE s.story_id = (SELECT story_id FROM story_articles WHERE article_id = :id)
ORDER BY s.kind <> 'original', a.dated_at, a.first_seen_at, a.id

-- name: near_copies
-- The newest articles that have one band of a MinHash.
SELECT article_id FROM story_bands WHERE band = ? ORDER BY article_id DESC LIMIT ?

-- name: stored
-- What a member of a story is said to be like.
SELECT s.kind, s.similarity, s.based_on_version_id, v.article_id FROM story_articles s
LEFT JOIN versions v ON v.id = s.based_on_version_id WHERE s.article_id = ?

-- name: told
-- The newest versions of an article.
SELECT id, title, text FROM versions WHERE article_id = ? ORDER BY captured_at DESC, id DESC LIMIT ?

-- name: new
-- A story of its own.
INSERT INTO stories (first_article_id) VALUES (?)

-- name: merged
-- All that was in a story is in another one now.
UPDATE stories SET merged_into = ?1 WHERE id = ?2 OR merged_into = ?2

-- name: noted
-- What a member of a story is like.
UPDATE story_articles SET kind = ?, similarity = ?, based_on_version_id = ? WHERE article_id = ?

-- name: copies
-- What has its words from an article, whose words that has, and so on both ways, within its story.
WITH RECURSIVE pairs (one, other) AS (
  SELECT s.article_id, v.article_id FROM story_articles s JOIN versions v ON v.id = s.based_on_version_id
  WHERE s.story_id = (SELECT story_id FROM story_articles WHERE article_id = ?1)
), same (id) AS (
  SELECT ?1 UNION SELECT iif(one = id, other, one) FROM same JOIN pairs ON id IN (one, other)
) SELECT id FROM same WHERE id <> ?1 ORDER BY id
