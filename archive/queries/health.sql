-- How each outlet answered, in the columns of reading.OutletHealth; then after how many seconds it is silent.
SELECT o.id, o.name_ar,
  (SELECT at FROM fetches WHERE outlet_id = o.id AND outcome IN {ANSWERED} ORDER BY at DESC LIMIT 1),
  (SELECT max(last_new_at) FROM sources WHERE outlet_id = o.id),
  coalesce((SELECT number FROM tallies WHERE name = 'articles' AND of = o.id), 0),
  coalesce((SELECT number FROM tallies WHERE name = 'kept' AND of = o.id), 0),
  (SELECT count(*) FROM fetches WHERE outlet_id = o.id AND at > :day),
  (SELECT count(*) FROM fetches WHERE outlet_id = o.id AND at > :day AND outcome NOT IN {ANSWERED}),
  (SELECT outcome || coalesce(': ' || error, '') FROM fetches WHERE outlet_id = o.id AND outcome NOT IN {ANSWERED}
     ORDER BY at DESC, id DESC LIMIT 1),
  (SELECT min(next_at) FROM sources WHERE outlet_id = o.id),
  (SELECT max(max({SILENT_AFTER}, 5 * coalesce(usual_gap_s, 0))) FROM sources WHERE outlet_id = o.id)
FROM outlets o
WHERE EXISTS (SELECT 1 FROM sources WHERE outlet_id = o.id) OR EXISTS (SELECT 1 FROM articles WHERE outlet_id = o.id)
ORDER BY o.id
