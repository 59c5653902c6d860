"""What a run did, for the terminal and for Prefect's artifacts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from cleaners import PIPELINE
from corpus.store import Version

from .tasks import Run, Slow
from .view import visible

MOST_LISTED = 20
"""So many quarantined seeds are listed; all of them are in the table `quarantine`."""


@dataclass(frozen=True)
class Report:
    """What a run did.

    version       number of the newest version; `committed`: this run made it
    path          the folder of that version
    counts        seeds, documents, quarantined, reprints and their clusters, of the version; added, changed,
                  vanished, renamed, unchanged of the plan; a renamed seed is neither added nor vanished
    cleaned       number of seeds that this run cleaned
    rules         edits of this run per (cleaner, rule)
    quarantine    (id, kind, reason) of the version's quarantined seeds, the first MOST_LISTED
    warning       what looks wrong about the run, in a sentence; empty when nothing does
    waiting       number of files that were being written, or that changed while the run went on: the corpus has them as
                  it had them, or not yet; the next run takes them
    seconds       duration of the run
    slowest       the documents of this run that took longest
    step_seconds  CPU seconds of this run per step: `read`, the cleaners, `settle`, `stage`
    flow_run_id   Prefect's id of the run, and how many task runs it should know of it
    """

    version: int
    committed: bool
    path: Path
    counts: dict[str, int]
    cleaned: int
    rules: dict[tuple[str, str], int]
    quarantine: tuple[tuple[str, str, str], ...]
    warning: str
    waiting: int
    seconds: float
    slowest: tuple[Slow, ...]
    step_seconds: dict[str, float]
    flow_run_id: str
    task_runs: int

    @property
    def quarantined(self) -> int:
        """Number of the version's seeds that are in quarantine."""
        return self.counts["quarantined"]

    def table(self) -> list[dict[str, Any]]:
        """One row per cleaner and rule, in the order of the pipeline."""
        rows: list[dict[str, Any]] = [
            {"cleaner": cleaner, "rule": rule, "edits": n} for (cleaner, rule), n in self.rules.items()
        ]
        seen = {row["cleaner"] for row in rows}
        rows += [{"cleaner": c.name, "rule": "", "edits": 0} for c in PIPELINE if c.name not in seen]
        order = {cleaner.name: place for place, cleaner in enumerate(PIPELINE)}
        return sorted(rows, key=lambda row: (order.get(row["cleaner"], len(order)), -row["edits"], row["rule"]))

    def lines(self) -> Iterator[str]:
        """The summary in sentences."""
        c = self.counts
        changes = f"{c['added']} new, {c['changed']} changed, {c['vanished']} vanished, {c['unchanged']} unchanged"
        changes += f", {c['renamed']} renamed" if c["renamed"] else ""
        yield f"{c['seeds']} seeds ({changes}): {c['documents']} documents, {c['quarantined']} in quarantine."
        if self.warning:
            yield f"Attention: {self.warning}"
        if self.waiting:
            yield f"{self.waiting} files were being written: they stay as the corpus had them; the next run takes them."
        if c["reprints"]:
            yield f"{c['reprints']} reprints of {c['clusters']} documents: see the table reprints."
        if self.committed:
            yield f"Cleaned {self.cleaned} in {self.seconds:.1f} s and committed version {self.version}."
        else:
            yield f"Nothing changed: no version committed. The newest is version {self.version}."

    def markdown(self) -> str:
        """The summary for Prefect's UI. Names of seeds are shown as code, so that they cannot be markup."""
        text = "\n\n".join(self.lines()) + f"\n\nVersion {self.version}: {_code(str(self.path))}\n"
        if self.quarantine:
            rows = "\n".join(f"| {_code(id)} | {kind} | {_code(reason)} |" for id, kind, reason in self.quarantine)
            text += f"\n## Quarantine\n\n| seed | kind | reason |\n|---|---|---|\n{rows}\n"
        if self.slowest:
            rows = "\n".join(f"| {_code(one.id)} | {one.bytes} | {one.seconds:.3f} |" for one in self.slowest)
            text += f"\n## Slowest documents\n\n| seed | bytes | CPU seconds |\n|---|---|---|\n{rows}\n"
        if self.step_seconds:
            rows = "\n".join(f"| {name} | {seconds:.2f} |" for name, seconds in self.step_seconds.items())
            text += f"\n## Steps\n\n| step | CPU seconds |\n|---|---|\n{rows}\n"
        return text

    def name(self) -> str:
        """A name for the run that says what it did."""
        c = self.counts
        if not self.committed:
            return f"nothing changed, version {self.version}"
        bad = f", {self.quarantined} in quarantine" if self.quarantined else ""
        changes = f"{c['added']} new, {c['changed']} changed, {c['vanished']} vanished"
        return f"version {self.version}: {changes}{bad}"


def of(version: Version, run: Run, flow_run_id: str) -> Report:
    """The report on a run that ended with this version."""
    rules: Counter[tuple[str, str]] = Counter()
    for one in run.staged:
        for cleaner, counts in one.edits.items():
            for rule, n in counts.items():
                rules[cleaner, rule] += n
    plan, known = run.plan, version.manifest.counts
    changes = {
        "added": plan.added - len(plan.renamed),
        "changed": plan.changed,
        "vanished": plan.vanished - len(plan.renamed),
        "renamed": len(plan.renamed),
        "unchanged": plan.unchanged,
    }
    return Report(
        version=version.number,
        committed=version.number != plan.base,
        path=version.path,
        counts={name: known[name] for name in ("seeds", "documents", "quarantined")} | _reprints(version) | changes,
        cleaned=len(plan.to_clean),
        rules=dict(rules),
        quarantine=_quarantine(version),
        warning=plan.warning,
        waiting=len(plan.scan.waiting),
        seconds=(datetime.now(UTC) - run.start).total_seconds(),
        slowest=tuple(run.slowest),
        step_seconds=dict(run.seconds),
        flow_run_id=flow_run_id,
        task_runs=run.task_runs,
    )


def _reprints(version: Version) -> dict[str, int]:
    """How many documents are reprints of another one, and in how many clusters."""
    clusters = version.read("reprints", ["cluster"])["cluster"]
    return {"reprints": len(clusters), "clusters": len(clusters.unique())}


def _quarantine(version: Version) -> tuple[tuple[str, str, str], ...]:
    if not version.manifest.counts["quarantined"]:
        return ()
    table = version.read("quarantine", ["id", "kind", "reason"]).slice(0, MOST_LISTED)
    return tuple(zip(*(table[name].to_pylist() for name in ("id", "kind", "reason")), strict=True))


def summary(report: Report, output: Path) -> RenderableType:
    """The summary for the terminal."""
    parts: list[RenderableType] = []
    if report.rules:
        parts.append(_rules_table(report))
    parts += [escape(line) for line in report.lines()]
    if report.quarantine:
        parts.append(f"In quarantine, {report.quarantined} of {report.counts['seeds']}:")
        parts += [escape(f"  {visible(id)} ({kind}): {visible(reason)}") for id, kind, reason in report.quarantine]
        if report.quarantined > len(report.quarantine):
            parts.append(f"  … and {report.quarantined - len(report.quarantine)} more, in the table quarantine.")
    parts.append(escape(f"The corpus: {output / 'latest'} (documents, edits, quarantine, reprints)"))
    return Group(*parts)


def _rules_table(report: Report) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("cleaner")
    table.add_column("rule")
    table.add_column("edits", justify="right")
    last = ""
    for row in report.table():
        cleaner = "" if row["cleaner"] == last else row["cleaner"]
        last = row["cleaner"]
        table.add_row(cleaner, escape(row["rule"].partition(".")[2]), str(row["edits"]))
    return table


def _code(text: str) -> str:
    """Markdown code, whatever is in it."""
    shown = "".join(c if c.isprintable() and c not in "`|" else "\ufffd" for c in text)
    return f"`{shown}`"
