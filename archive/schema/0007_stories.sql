-- Articles that tell the same happening. An article that stands alone has no row in either table.
CREATE TABLE stories (
  id INTEGER PRIMARY KEY,
  first_article_id INTEGER NOT NULL REFERENCES articles(id),   -- seen before the others
  merged_into INTEGER REFERENCES stories(id)                   -- its articles are that story's now
) STRICT;
CREATE INDEX stories_merged ON stories (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE story_articles (
  article_id INTEGER PRIMARY KEY REFERENCES articles(id),
  story_id INTEGER NOT NULL REFERENCES stories(id),
  kind TEXT NOT NULL CHECK (kind IN ('original','copy','rewrite','same_event')),
  similarity REAL,                                             -- null: the original, or linked by other members alone
  based_on_version_id INTEGER REFERENCES versions(id),         -- what a copy or rewrite has its words from
  credited_outlet_id TEXT REFERENCES outlets(id)               -- what it names as its source
) STRICT;
CREATE INDEX story_articles_story ON story_articles (story_id);
CREATE INDEX story_articles_based_on ON story_articles (based_on_version_id) WHERE based_on_version_id IS NOT NULL;

-- Where an article's near relations are found, by numbers that archive.similarity makes of its words.
CREATE TABLE story_bands (
  band INTEGER NOT NULL,
  article_id INTEGER NOT NULL,
  PRIMARY KEY (band, article_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE story_terms (
  day INTEGER NOT NULL,                                        -- seen or published; days since 1970
  term INTEGER NOT NULL,
  article_id INTEGER NOT NULL,
  PRIMARY KEY (day, term, article_id)
) STRICT, WITHOUT ROWID;

-- Articles kept before there were stories, still to be linked.
CREATE TABLE story_backlog (article_id INTEGER PRIMARY KEY REFERENCES articles(id)) STRICT;
INSERT INTO story_backlog SELECT id FROM articles WHERE latest_version_id IS NOT NULL;
