-- Every label, with the text it was given on.
SELECT v.article_id, v.id AS version_id, v.title, v.text, l.topic, l.verdict
FROM labels l JOIN versions v ON v.id = l.version_id ORDER BY v.article_id, v.id, l.topic
