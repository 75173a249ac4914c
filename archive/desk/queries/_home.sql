SELECT (SELECT count(latest_version_id) FROM articles) AS kept,
       (SELECT count(*) FROM events WHERE kind = 'edited') AS edits,
       (SELECT count(*) FROM articles WHERE status = 'gone' AND latest_version_id IS NOT NULL) AS withdrawn,
       (SELECT count(*) FROM versions) AS versions,
       (SELECT count(*) FROM outlets o WHERE EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id)
          OR EXISTS (SELECT 1 FROM articles WHERE outlet_id = o.id)) AS outlets,
       (SELECT max(at) FROM fetches) AS last_look
