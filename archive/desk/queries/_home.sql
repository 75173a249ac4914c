SELECT (SELECT count(latest_version_id) FROM articles) AS kept,
       (SELECT count(*) FROM events WHERE kind = 'edited') AS edits,
       (SELECT count(*) FROM articles WHERE status = 'gone' AND latest_version_id IS NOT NULL) AS withdrawn,
       (SELECT count(*) FROM versions) AS versions,
       (SELECT count(*) FROM outlets) AS outlets,
       (SELECT max(at) FROM fetches) AS last_look
