"""The deployment of a corpus: what Prefect knows of it, and the runs it has.

Everything is asked of Prefect's API, so that whatever happens to this process or to the server, the runs are on record.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.objects import (
    ConcurrencyLimitConfig,
    ConcurrencyLimitStrategy,
    FlowRun,
    State,
    StateType,
)
from prefect.deployments.runner import DeploymentApplyError
from prefect.events import DeploymentEventTrigger, emit_event
from prefect.exceptions import ObjectNotFound, PrefectException
from prefect.schedules import Cron, Interval, Schedule
from prefect.states import AwaitingRetry, Cancelled, Failed, Pending

from cleaners import Config

from .build import build_corpus

API_ERRORS = (httpx.HTTPError, DeploymentApplyError, PrefectException)
"""The server does not answer, or not as it should: to be tried again."""

ARRIVED = "seeds.arrived"
"""The event that says that a folder has new seeds; its resource is `resource(name)`."""

UNFINISHED = {StateType.PENDING, StateType.RUNNING, StateType.CANCELLING}


@dataclass(frozen=True)
class Served:
    """What is served.

    seeds, output    folders, absolute
    config           of the cleaners
    name             of the deployment
    quiet_seconds    seeds are left alone until nobody has written to them for so long
    workers          number of worker processes of a run
    cron, every_seconds   when runs start by themselves; at most one of them is given
    """

    seeds: Path
    output: Path
    config: Config
    name: str
    quiet_seconds: float
    cron: str = ""
    every_seconds: float = 0.0
    workers: int = 1

    def schedule(self) -> Schedule | None:
        """Raises ValueError for what is no schedule."""
        if self.cron:
            return Cron(self.cron, timezone=local_timezone())
        return Interval(timedelta(seconds=self.every_seconds)) if self.every_seconds else None

    def parameters(self) -> dict[str, Any]:
        """Of the flow, as JSON holds them."""
        return {
            "seeds": str(self.seeds),
            "output": str(self.output),
            "config": asdict(self.config),
            "workers": self.workers,
            "quiet_seconds": self.quiet_seconds,
        }


class Runs:
    """The runs of one deployment.  Every method may raise API_ERRORS."""

    def __init__(self, served: Served) -> None:
        self._served = served
        self._deployment: UUID | None = None
        self._open: SyncPrefectClient | None = None

    def register(self) -> UUID:
        """Tells the server of the deployment, or of its new settings."""
        served = self._served
        flow: Any = build_corpus
        deployment = flow.to_deployment(
            served.name,
            schedule=served.schedule(),
            parameters=served.parameters(),
            description=f"Keeps the corpus {served.output} up to date with the seeds in {served.seeds}.",
            tags=["jingwen"],
            # never two writers at once: a run that is to start while another goes on is cancelled
            concurrency_limit=ConcurrencyLimitConfig(
                limit=1, collision_strategy=ConcurrencyLimitStrategy.CANCEL_NEW, grace_period_seconds=60
            ),
            triggers=[
                DeploymentEventTrigger(
                    name=f"{ARRIVED}: {served.name}",
                    expect={ARRIVED},
                    match={"prefect.resource.id": resource(served.name)},
                )
            ],
        )
        if served.schedule() is None:
            deployment.schedules = []  # removes one that an earlier start had
        self._deployment = deployment.apply()
        return self._deployment

    def create(self, reason: str) -> FlowRun:
        """A new run, which waits to be started."""
        with self._client() as client:
            return client.create_flow_run_from_deployment(self._id(), tags=["jingwen", reason])

    def due(self) -> list[FlowRun]:
        """Runs that wait to be started, now or earlier: of the schedule, of events, of a button, to be tried again;
        the oldest first."""
        with self._client() as client:
            found = client.get_scheduled_flow_runs_for_deployments(
                [self._id()], scheduled_before=datetime.now(UTC), limit=50
            )
        return [FlowRun.model_validate(one.model_dump()) for one in found]

    def read(self, flow_run_id: UUID) -> FlowRun:
        with self._client() as client:
            return client.read_flow_run(flow_run_id)

    def unfinished(self) -> list[FlowRun]:
        """Runs that someone is said to be at work on."""
        from prefect.client.schemas.filters import (
            DeploymentFilter,
            DeploymentFilterId,
            FlowRunFilter,
            FlowRunFilterState,
            FlowRunFilterStateType,
        )

        with self._client() as client:
            return client.read_flow_runs(
                deployment_filter=DeploymentFilter(id=DeploymentFilterId(any_=[self._id()])),
                flow_run_filter=FlowRunFilter(
                    state=FlowRunFilterState(type=FlowRunFilterStateType(any_=sorted(UNFINISHED)))
                ),
            )

    def left_behind(self) -> list[FlowRun]:
        """Those of them that a process of this machine began. There is none but this one: what it does not run is
        not run."""
        here = f"{os.uname().nodename}:"
        return [run for run in self.unfinished() if (run.infrastructure_pid or here).startswith(here)]

    def begin(self, run: FlowRun) -> bool:
        """Takes the deployment's only slot for a run.  False: another run has it, and this one is cancelled."""
        with self._client() as client:
            client.update_flow_run(run.id, infrastructure_pid=f"{os.uname().nodename}:{os.getpid()}")
            answer: Any = client.set_flow_run_state(run.id, Pending())
        return answer.state is not None and answer.state.type == StateType.PENDING

    def free_slot(self) -> None:
        """Frees the slot that a run of which nobody knows has: to be called when no run is unfinished."""
        with self._client() as client:
            deployment = client.read_deployment(self._id())
            limit = deployment.global_concurrency_limit
            if limit is not None and limit.active_slots:
                answer = client.request(
                    "PATCH",
                    "/v2/concurrency_limits/{id_or_name}",
                    path_params={"id_or_name": str(limit.id)},
                    json={"active_slots": 0},
                )
                answer.raise_for_status()

    def try_again(self, run: FlowRun, seconds: float, reason: str) -> None:
        """The run waits to be started again."""
        when = datetime.now(UTC) + timedelta(seconds=seconds)
        self._set(run, AwaitingRetry(scheduled_time=when, message=reason))

    def fail(self, run: FlowRun, reason: str) -> None:
        self._set(run, Failed(message=reason))

    def cancel(self, run: FlowRun, reason: str) -> None:
        self._set(run, Cancelled(message=reason))

    def _set(self, run: FlowRun, state: State[Any]) -> None:
        with self._client() as client:
            client.set_flow_run_state(run.id, state, force=True)

    def _id(self) -> UUID:
        return self._deployment or self.register()

    @contextmanager
    def _client(self) -> Iterator[SyncPrefectClient]:
        if self._open is None:
            self._open = get_client(sync_client=True)
            self._open.__enter__()
        try:
            yield self._open
        except ObjectNotFound:
            self._deployment = None  # the server has another database now: it is registered there
            raise
        except httpx.HTTPError:
            self.close()
            raise

    def close(self) -> None:
        """Closes the connection; the next question opens another one."""
        client, self._open = self._open, None
        if client is not None:
            client.__exit__(None, None, None)


def resource(name: str) -> str:
    """The resource of the events about a folder of seeds."""
    return f"jingwen.seeds.{name}"


def announce(name: str, payload: Mapping[str, Any]) -> None:
    """Emits the event `seeds.arrived`."""
    emit_event(event=ARRIVED, resource={"prefect.resource.id": resource(name)}, payload=dict(payload))


def local_timezone() -> str:
    """The time zone of this machine, as schedules name it."""
    known = os.environ.get("TZ", "").lstrip(":") or os.path.realpath("/etc/localtime").partition("zoneinfo/")[2]
    return known or "UTC"
