-- title: Edited articles, before and after
-- description: Edits of kept articles, newest first, with the part that changed marked on each side; in JSON and CSV it stands in [brackets].
-- topic: any
-- outlet: any outlet id
-- days: 30
WITH edits_seen AS MATERIALIZED (
  SELECT e.id, e.at, v.id AS version_id, v.article_id,
         (SELECT p.id FROM versions p
          WHERE p.article_id = v.article_id AND (p.captured_at, p.id) < (v.captured_at, v.id)
          ORDER BY p.captured_at DESC, p.id DESC LIMIT 1) AS from_version_id
  FROM events e JOIN versions v ON v.id = e.version_id JOIN articles a ON a.id = e.article_id
  WHERE e.kind = 'edited'
    AND e.at >= coalesce(strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-' || coalesce(nullif(:days, ''), '30') || ' days'), '')
    AND :outlet IN ('', a.outlet_id)
    AND (:topic = '' OR EXISTS (SELECT 1 FROM matches m WHERE m.version_id = v.id AND m.topic = :topic))
  ORDER BY e.at DESC, e.id DESC
  LIMIT 50
)
SELECT ar_heading(after.title, after.text) AS title,
       (SELECT max(x.kind || iif(x.reasons = '', '', ': ' || x.reasons)) FROM edits x WHERE x.version_id = s.version_id
          AND x.material = (SELECT max(material) FROM edits WHERE version_id = s.version_id)) AS kind,
       iif(before.text <> after.text, ar_changed(before.text, after.text), ar_changed(before.title, after.title)) AS before,
       iif(before.text <> after.text, ar_changed(after.text, before.text), ar_changed(after.title, before.title)) AS after,
       trim(iif(before.title <> after.title, 'title ', '') || iif(before.text <> after.text, 'text ', '')
            || iif(before.author IS NOT after.author, 'author ', '')
            || iif(before.published_at IS NOT after.published_at, 'published_at', '')) AS changed,
       iif(after.modified_at IS NULL OR after.modified_at IS before.modified_at, 'silent', '') AS silent,
       coalesce(o.name_ar, 'imported') AS outlet, before.captured_at AS seen_before_at,
       after.captured_at AS seen_after_at, s.article_id, s.from_version_id, s.version_id
FROM edits_seen s
JOIN versions after ON after.id = s.version_id
JOIN versions before ON before.id = s.from_version_id
JOIN articles a ON a.id = s.article_id LEFT JOIN outlets o ON o.id = a.outlet_id
ORDER BY s.at DESC, s.id DESC
