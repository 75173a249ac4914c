-- An editor's word on a version and a topic. Kept beside what the rules say, never instead of it.
CREATE TABLE labels (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  topic TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('yes','no')),
  at TEXT NOT NULL,
  PRIMARY KEY (version_id, topic)
) STRICT, WITHOUT ROWID;
