SELECT coalesce(sum(number) FILTER (WHERE name = 'kept'), 0) AS kept,
       coalesce(sum(number) FILTER (WHERE name = 'events' AND of = 'edited'), 0) AS edits,
       coalesce(sum(number) FILTER (WHERE name = 'withdrawn'), 0) AS withdrawn,
       coalesce(sum(number) FILTER (WHERE name = 'versions'), 0) AS versions,
       (SELECT count(*) FROM outlets o WHERE EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id)
          OR EXISTS (SELECT 1 FROM articles WHERE outlet_id = o.id)) AS outlets,
       (SELECT max(at) FROM fetches) AS last_look
FROM tallies
