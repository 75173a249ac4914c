-- title: Withdrawn articles
-- description: Kept articles whose address answers "gone" on two looks apart, newest first, with the capture that holds what was last seen. With status "suspect": missing on one look so far.
-- topic: any
-- status: gone; or suspect
-- days: any number of days back
SELECT a.id AS article_id, ar_heading(v.title, v.text) AS title, coalesce(o.name_ar, 'imported') AS outlet,
       coalesce(a.gone_at, a.suspect_at) AS missing_since, v.captured_at AS text_captured_at,
       round(julianday(coalesce(a.gone_at, a.suspect_at)) - julianday(a.first_seen_at), 1) AS days_online,
       (SELECT group_concat(m.topic, ', ') FROM matches m WHERE m.version_id = v.id) AS topics,
       c.file AS capture_file, c.offset AS capture_offset, a.url
FROM articles a
JOIN versions v ON v.id = a.latest_version_id
LEFT JOIN captures c ON c.id = v.capture_id
LEFT JOIN outlets o ON o.id = a.outlet_id
WHERE a.status <> 'live' AND a.status = coalesce(nullif(:status, ''), 'gone')
  AND (:topic = '' OR EXISTS (SELECT 1 FROM matches m WHERE m.version_id = v.id AND m.topic = :topic))
  AND coalesce(a.gone_at, a.suspect_at, '') >= CASE :days WHEN '' THEN '' ELSE
      coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || :days || ' days'), '') END
ORDER BY missing_since DESC, a.id DESC
LIMIT 200
