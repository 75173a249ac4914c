-- title: Figures by day and act
-- description: How many were killed, arrested, moved, as the newest versions of articles tell it: each day the figures of an act, how far they differ, and how many articles and outlets tell them. Not to be summed: many tell of the same. A number that is not told ("dozens") counts as a figure without bounds.
-- act: any, for instance killed
-- counted: anybody, for instance children
-- place: any, for instance al-hol or الحسكة: the article names it
-- since: dated on or after, 2026-01-21; empty: the last 30 days
SELECT substr(a.dated_at, 1, 10) AS day, f.act, f.counted, count(*) AS figures, min(f.low) AS lowest,
       max(coalesce(f.high, f.low)) AS highest, count(DISTINCT a.id) AS articles, count(DISTINCT a.outlet_id) AS outlets,
       count(DISTINCT f.said_by) AS sources, max(f.version_id) AS version_id
FROM articles a CROSS JOIN figures f ON f.version_id = a.latest_version_id
WHERE a.dated_at >= coalesce(nullif(:since, ''), date('now', '-30 days')) AND a.latest_version_id IS NOT NULL
  AND (:act = '' OR f.act = :act) AND (:counted = '' OR f.counted = :counted)
  AND (:place = '' OR EXISTS (SELECT 1 FROM mentions m JOIN places p ON p.id = m.place_id
    WHERE m.version_id = f.version_id AND :place IN (p.id, p.name_ar, p.name_en)))
GROUP BY day, f.act, f.counted ORDER BY day DESC, articles DESC, f.act, f.counted LIMIT 500
