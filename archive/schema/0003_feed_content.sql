-- The article's HTML as its feed carried it, for pages that give no text; it goes with the row, or when it is given up.
ALTER TABLE frontier ADD COLUMN content TEXT;
