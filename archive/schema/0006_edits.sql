-- What each version changed of the one before it, and whether that matters.
CREATE TABLE edits (
  id INTEGER PRIMARY KEY,
  version_id INTEGER NOT NULL REFERENCES versions(id),
  from_version_id INTEGER NOT NULL REFERENCES versions(id),
  field TEXT NOT NULL CHECK (field IN ('title','text','author','published_at')),
  op TEXT NOT NULL CHECK (op IN ('inserted','removed','replaced','moved')),
  kind TEXT NOT NULL CHECK (kind IN ('typo','wording','material')),
  material INTEGER NOT NULL CHECK (material IN (0,1)),
  reasons TEXT NOT NULL,         -- of what is material: term, number, date, place, actor, quotation, negation
  passage TEXT,                  -- the words that make it so
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  from_start INTEGER NOT NULL,   -- half-open code points into the field before, as today's reader read it then
  from_end INTEGER NOT NULL,
  start INTEGER NOT NULL,        -- and into the field of the version
  "end" INTEGER NOT NULL
) STRICT;
CREATE INDEX edits_version ON edits (version_id);
CREATE INDEX edits_from ON edits (from_version_id);

-- Lines that many articles of an outlet gained or lost alike within a day: a banner, a redesign; told to the operator alone.
CREATE TABLE drift (
  id INTEGER PRIMARY KEY,
  outlet_id TEXT NOT NULL REFERENCES outlets(id),
  signature TEXT NOT NULL,       -- the line, folded, behind + or -
  inserted TEXT,
  removed TEXT,
  articles INTEGER NOT NULL DEFAULT 0,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  UNIQUE (outlet_id, signature)
) STRICT;
CREATE TABLE drift_articles (
  drift_id INTEGER NOT NULL REFERENCES drift(id),
  article_id INTEGER NOT NULL REFERENCES articles(id),
  PRIMARY KEY (drift_id, article_id)
) STRICT, WITHOUT ROWID;

DROP VIEW changes;
CREATE VIEW changes AS
SELECT after.article_id,
       (SELECT count(*) FROM versions n WHERE n.article_id = after.article_id
          AND (n.captured_at, n.id) <= (after.captured_at, after.id)) AS number,
       before.id AS from_version_id, after.id AS version_id,
       before.captured_at AS seen_before_at, after.captured_at AS seen_after_at,
       (SELECT coalesce(max(e.material), 0) FROM edits e WHERE e.version_id = after.id) AS material,
       (after.modified_at IS NULL OR after.modified_at IS before.modified_at) AS silent,
       before.title AS title_before, after.title AS title_after,
       before.text AS text_before, after.text AS text_after
FROM versions after
JOIN versions before ON before.id = (
  SELECT p.id FROM versions p WHERE p.article_id = after.article_id
    AND (p.captured_at, p.id) < (after.captured_at, after.id) ORDER BY p.captured_at DESC, p.id DESC LIMIT 1);
