-- What a version names and counts: places and figures, read from its title and text as it is kept.

-- The places of archive/places.toml, brought up to date when the archive is opened for writing.
CREATE TABLE places (
  id TEXT PRIMARY KEY,
  name_ar TEXT NOT NULL,
  name_en TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('governorate','city','town','quarter','camp','prison','crossing','base','field','dam',
    'river','mountain','region','country')),
  lat REAL,
  lon REAL
) STRICT;

-- Half-open code points of the field; what counts or befell nobody known is null, and so is a bound that is not known.
CREATE TABLE mentions (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  place_id TEXT NOT NULL REFERENCES places(id),
  field TEXT NOT NULL CHECK (field IN ('title','text')),
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL
) STRICT;
CREATE INDEX mentions_version ON mentions (version_id);
CREATE INDEX mentions_place ON mentions (place_id, version_id);

CREATE TABLE figures (
  version_id INTEGER NOT NULL REFERENCES versions(id),
  low INTEGER,
  high INTEGER,
  approx INTEGER NOT NULL CHECK (approx IN (0, 1)),
  counted TEXT NOT NULL,
  act TEXT,
  said_by TEXT,
  field TEXT NOT NULL CHECK (field IN ('title','text')),
  start INTEGER NOT NULL,
  "end" INTEGER NOT NULL
) STRICT;
CREATE INDEX figures_version ON figures (version_id);
CREATE INDEX figures_act ON figures (act, counted, low);

-- Versions kept before, still to be read.
CREATE TABLE facts_backlog (version_id INTEGER PRIMARY KEY REFERENCES versions(id)) STRICT;
INSERT INTO facts_backlog SELECT id FROM versions;
