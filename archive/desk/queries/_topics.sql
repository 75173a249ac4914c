SELECT m.topic, sum(m.strength = 'substantive') AS substantive, sum(m.strength = 'passing') AS passing
FROM articles a JOIN matches m ON m.version_id = a.latest_version_id GROUP BY m.topic ORDER BY substantive DESC, m.topic
