"""Imported by the server that forks the tests' children, never by a test: what each of them would load anew."""

import crawler.cli
import crawler.imports
import crawler.process
import crawler.registry
import crawler.rejudge
import crawler.report
import crawler.service
import crawler.visits
import tests.clockwork  # noqa: F401  # loaded for the children, not used here
from archive.models import Page
from tests.archive_kit import NOW, RULES

HTML = "<html><body><article><h1>موسم الزيتون</h1><p>بدأ المزارعون قطاف الزيتون هذا العام قبل موعده.</p></article>"
crawler.process.process(Page("https://a.example/1", "https://a.example/1", NOW, 200, (), HTML.encode()), RULES)
