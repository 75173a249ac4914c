SELECT what, words FROM (
  SELECT 'places' AS what, name_ar AS words, field, start FROM mentions JOIN places ON id = place_id
  WHERE version_id = :version
  UNION ALL SELECT 'figures', CASE WHEN low = high THEN iif(approx, 'about ', '') || low
    WHEN low IS NULL AND high IS NULL THEN 'not told how many' WHEN high IS NULL THEN low || ' or more'
    WHEN low IS NULL THEN 'at most ' || high ELSE low || ' to ' || high END || ' ' || replace(counted, '_', ' ')
    || coalesce(' ' || replace(act, '_', ' '), '') || coalesce(' (' || said_by || ')', ''), field, start
  FROM figures WHERE version_id = :version
) GROUP BY what, words ORDER BY what DESC, min(field = 'text'), min(start)
