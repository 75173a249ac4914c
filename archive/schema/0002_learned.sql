-- An editor's word on a version and a topic. Kept beside what the rules say, never instead of it.
CREATE TABLE labels (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  topic TEXT NOT NULL,
  verdict TEXT NOT NULL CHECK (verdict IN ('yes','no')),
  at TEXT NOT NULL,
  PRIMARY KEY (version_id, topic)
) STRICT, WITHOUT ROWID;

-- How many different articles of an outlet have a line at their edge: what many have is furniture.
CREATE TABLE outlet_lines (
  outlet_id TEXT NOT NULL REFERENCES outlets(id),
  folded TEXT NOT NULL,
  line TEXT NOT NULL,
  articles INTEGER NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  PRIMARY KEY (outlet_id, folded)
) STRICT, WITHOUT ROWID;
