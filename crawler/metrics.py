"""A survey and the jobs as Prometheus reads them (text format 0.0.4).                                     [pure]"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from archive.times import moment
from crawler.health import Survey
from crawler.jobs import Job

_Sample = tuple[Mapping[str, str], float | None]


def metrics(survey: Survey, jobs: Iterable[Job], loop_now: float, *, running: Iterable[str], writer_bytes: int) -> str:
    """All of it; `loop_now` is of the clock of the jobs, `running` names the crawls under way, `writer_bytes` wait."""
    jobs = list(jobs)
    on = [row for row in survey.outlets if row["state"] != "off"]

    def of_outlets(column: str) -> Iterator[_Sample]:
        for row in on:
            value = row[column]
            yield {"outlet": row["id"]}, moment(value).timestamp() if isinstance(value, str) else value

    def of_jobs(column: str) -> Iterator[_Sample]:
        return (({"job": job.name}, getattr(job, column)) for job in jobs)

    def each(label: str, counts: Mapping[str, float]) -> Iterator[_Sample]:
        return (({label: name}, number) for name, number in counts.items())

    families: list[tuple[str, str, str, Iterable[_Sample]]] = [
        ("survey_timestamp_seconds", "gauge", "when the archive was looked at", [({}, moment(survey.at).timestamp())]),
        ("outlet_last_success_timestamp_seconds", "gauge", "last look that was answered", of_outlets("last_ok_at")),
        ("outlet_last_new_timestamp_seconds", "gauge", "last new article", of_outlets("last_new_at")),
        ("outlet_next_timestamp_seconds", "gauge", "next visit to a listing", of_outlets("next_at")),
        ("outlet_kept_articles", "gauge", "articles kept", of_outlets("kept")),
        ("outlet_looks_24h", "gauge", "looks in the last 24 hours", of_outlets("fetches_24h")),
        ("outlet_state", "gauge", "1 for the state it is in",
         (({"outlet": r["id"], "state": r["state"]}, 1) for r in on)),
        ("outlet_errors_24h", "gauge", "looks that failed in the last 24 hours",
         (({"outlet": r["id"], "outcome": kind}, n) for r in on for kind, n in r["errors"].items())),
        ("outlet_unusual", "gauge", "1 where the last day departs from the outlet's usual",
         (({"outlet": r["id"], "what": name}, 1) for r in on for name in r["unusual"])),
        ("crawls_running", "gauge", "crawls under way", [({}, len(list(running)))]),
        ("queue", "gauge", "how much waits", each("queue", survey.queues)),
        ("writer_queue_bytes", "gauge", "bytes that wait to be written", [({}, writer_bytes)]),
        ("mail_lag_seconds", "gauge", "how long the oldest mail is late", [({}, survey.mail_lag)]),
        ("size_bytes", "gauge", "database, its log, captures, free space", each("of", survey.sizes)),
        ("trouble", "gauge", "1 for what an operator should mend", (({"trouble": t.key}, 1) for t in survey.troubles)),
        ("job_runs_total", "counter", "runs that ended", of_jobs("runs")),
        ("job_limit_missed_total", "counter", "runs that took longer than their limit", of_jobs("missed")),
        ("job_duration_seconds", "gauge", "the last run took", of_jobs("took")),
        ("job_late_seconds", "gauge", "the last run began so late", of_jobs("late")),
        ("job_running_seconds", "gauge", "the run under way takes so far",
         (({"job": job.name}, None if job.begun is None else loop_now - job.begun) for job in jobs)),
    ]  # fmt: skip
    lines = []
    for name, kind, said, samples in families:
        lines += [f"# HELP rasid_{name} {said[0].upper()}{said[1:]}.", f"# TYPE rasid_{name} {kind}"]
        lines += [f"rasid_{name}{_labels(labels)} {value:.15g}" for labels, value in samples if value is not None]
    return "\n".join([*lines, ""])


def _labels(labels: Mapping[str, str]) -> str:
    r"""Labels as they are written.

    >>> _labels({}), _labels({"outlet": 'a "b"'})
    ('', '{outlet="a \\"b\\""}')
    """
    escaped = {k: v.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n") for k, v in labels.items()}
    inside = ",".join(f'{k}="{v}"' for k, v in escaped.items())
    return f"{{{inside}}}" if inside else ""
