SELECT of AS topic, sum(iif(name = 'substantive', number, 0)) AS substantive, sum(iif(name = 'passing', number, 0)) AS passing
FROM tallies WHERE name IN ('substantive', 'passing') AND number > 0 GROUP BY of ORDER BY substantive DESC, topic
