-- Several ways to find an outlet's articles: the first that works leads, the others fill gaps.
ALTER TABLE sources ADD COLUMN position INTEGER NOT NULL DEFAULT 0;  -- in the configuration; the lowest that works leads
ALTER TABLE sources ADD COLUMN failures INTEGER NOT NULL DEFAULT 0;  -- looks that failed since the last that did not
ALTER TABLE sources ADD COLUMN mark TEXT;                            -- how far it was read, in the site's own terms
ALTER TABLE sources ADD COLUMN plain_at TEXT;                        -- last read without validators
ALTER TABLE sources ADD COLUMN honest INTEGER NOT NULL DEFAULT 1 CHECK (honest IN (0,1));  -- 0: its validators lied

-- When listings last said that an article was modified: a reason to look again, never proof of an edit.
ALTER TABLE articles ADD COLUMN modified_hint TEXT;

-- A look that led to the article's new address is `moved`. A CHECK cannot be altered, so the table is made anew.
CREATE TABLE fetches_new (
  id INTEGER PRIMARY KEY,
  crawl_id INTEGER REFERENCES crawls(id),
  outlet_id TEXT REFERENCES outlets(id),
  source_id INTEGER REFERENCES sources(id),   -- a listing was read; null: a page
  article_id INTEGER REFERENCES articles(id),
  url TEXT NOT NULL,
  at TEXT NOT NULL,
  status INTEGER,
  outcome TEXT NOT NULL CHECK (outcome IN ('ok','unchanged','moved','gone','blocked','outage','tls','timeout',
                                           'too_large','refused','not_article','unreadable')),
  bytes INTEGER,
  ms INTEGER,
  error TEXT
) STRICT;
INSERT INTO fetches_new SELECT id, crawl_id, outlet_id, source_id, article_id, url, at, status, outcome, bytes, ms, error
  FROM fetches;
DROP TABLE fetches;
ALTER TABLE fetches_new RENAME TO fetches;
CREATE INDEX fetches_at ON fetches (at);
CREATE INDEX fetches_outlet ON fetches (outlet_id, at);
CREATE INDEX fetches_article ON fetches (article_id) WHERE article_id IS NOT NULL;
CREATE INDEX fetches_crawl ON fetches (crawl_id, url);

-- What was looked at and found, hour by hour; stays when the single looks are dropped.
CREATE TABLE coverage (
  outlet_id TEXT NOT NULL REFERENCES outlets(id),
  hour TEXT NOT NULL,                          -- its first moment
  looks INTEGER NOT NULL DEFAULT 0,
  ok INTEGER NOT NULL DEFAULT 0,
  blocked INTEGER NOT NULL DEFAULT 0,
  outage INTEGER NOT NULL DEFAULT 0,           -- every other failure
  new_articles INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (outlet_id, hour)
) STRICT, WITHOUT ROWID;
CREATE INDEX coverage_hour ON coverage (hour);
INSERT INTO coverage (outlet_id, hour, looks, ok, blocked, outage)
  SELECT outlet_id, substr(at, 1, 13) || ':00:00Z', count(*),
         sum(outcome IN ('ok','unchanged','gone','not_article')), sum(outcome = 'blocked'),
         sum(outcome NOT IN ('ok','unchanged','gone','not_article','blocked'))
  FROM fetches WHERE outlet_id IS NOT NULL GROUP BY 1, 2;
INSERT INTO coverage (outlet_id, hour, new_articles)
  SELECT outlet_id, substr(first_seen_at, 1, 13) || ':00:00Z', count(*) FROM articles WHERE outlet_id IS NOT NULL
  GROUP BY 1, 2 ON CONFLICT (outlet_id, hour) DO UPDATE SET new_articles = excluded.new_articles;
