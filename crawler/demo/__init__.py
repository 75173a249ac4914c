"""`rasid demo`: the whole of Rasid on bundled documents, without network."""
