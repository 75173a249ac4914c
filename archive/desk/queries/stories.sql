-- title: Told by several outlets
-- description: The 100 happenings told last: what the first article called them, who had it first, who told it since and in whose words. Copies that lack a later edit have the words of a version that was replaced since.
-- q: words; empty for all
-- topic: any, for instance isis_detainees
-- since: told by another article on or after, 2026-01-21
WITH told AS (
  SELECT s.story_id, max(a.first_seen_at) AS last_told_at, count(*) AS articles, count(DISTINCT a.outlet_id) AS outlets,
         sum(s.kind = 'copy') AS copies, sum(s.kind = 'rewrite') AS rewrites, sum(s.kind = 'same_event') AS other_words,
         sum(EXISTS (SELECT 1 FROM versions b JOIN versions n ON n.article_id = b.article_id
                     WHERE b.id = s.based_on_version_id AND (n.captured_at, n.id) > (b.captured_at, b.id))) AS lacking
  FROM story_articles s JOIN articles a ON a.id = s.article_id
  WHERE (:q = '' OR s.story_id IN (SELECT story_id FROM story_articles WHERE article_id IN (
           SELECT rowid FROM articles_fts WHERE articles_fts MATCH ar_query(:q))))
    AND (:topic = '' OR s.story_id IN (SELECT o.story_id FROM matches m JOIN versions v ON v.id = m.version_id
           JOIN articles l ON l.latest_version_id = v.id JOIN story_articles o ON o.article_id = l.id
           WHERE m.topic = :topic))
  GROUP BY s.story_id HAVING last_told_at >= :since ORDER BY last_told_at DESC, s.story_id DESC LIMIT 100
)
SELECT t.first_article_id AS article_id, ar_heading(v.title, v.text) AS title, coalesce(o.name_ar, 'imported') AS first_told_by,
       a.first_seen_at, told.last_told_at, told.outlets, told.articles, told.copies, told.rewrites,
       told.other_words AS in_other_words, told.lacking AS copies_lacking_an_edit, told.story_id
FROM told JOIN stories t ON t.id = told.story_id JOIN articles a ON a.id = t.first_article_id
JOIN versions v ON v.id = a.latest_version_id LEFT JOIN outlets o ON o.id = a.outlet_id
ORDER BY told.last_told_at DESC, told.story_id DESC
