-- An event, and what a mail tells of its article beside its versions.
SELECT e.id, e.at, e.kind, e.article_id, e.version_id, e.backlog, json_extract(e.detail, '$.silent'), a.url,
  iif(:arabic, o.name_ar, o.name_en), (SELECT max(at) FROM fetches
    WHERE article_id = e.article_id AND outcome IN ('ok', 'unchanged') AND at <= e.at)
FROM events e JOIN articles a ON a.id = e.article_id LEFT JOIN outlets o ON o.id = a.outlet_id WHERE e.id = :id
