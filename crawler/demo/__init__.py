"""`rasid demo`: the whole of Rasid on bundled documents, without network."""

from crawler.demo.play import run

__all__ = ["run"]
