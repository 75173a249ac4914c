-- An editor's label can be left with the service, too.
CREATE TABLE asked (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('crawl','save','label')),
  target TEXT NOT NULL,          -- an outlet id, an address, or "ARTICLE yes|no TOPIC"
  at TEXT NOT NULL,
  crawl_id INTEGER REFERENCES crawls(id),
  done_at TEXT,
  error TEXT
) STRICT;
INSERT INTO asked SELECT id, kind, target, at, crawl_id, done_at, error FROM requests;
DROP TABLE requests;
ALTER TABLE asked RENAME TO requests;
