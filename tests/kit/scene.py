"""A cluster on PostgreSQL and a Kafka of its own that can be broken, people at work on it, and a verifier that watches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kit.cluster import Cluster, Role, cluster
from kit.fault_proxy import serving
from kit.kafka_broker import QUICK, KafkaCluster, kafka_cluster
from kit.load import Load
from kit.lying_proxy import LyingProxy
from kit.topic_audit import await_all_told
from kit.waiting import until
from kit.witness import Witness, witness

from demo.joining import add_verifier
from eventlog.kafka.settings import KafkaSettings
from eventlog.kafka.topics import Topic

PARTITIONS = 4
SESSIONS = Topic("rescind.sessions.v1", PARTITIONS)
PATIENCE_S = 90.0


@dataclass(frozen=True)
class Scene:
    """`road`: a proxy between the relay and the revocation service, the express road.

    `witness` is strict; `lax` accepts what it cannot know, the witness's control. `credential`: the witness's own.
    """

    cluster: Cluster
    kafka: KafkaCluster
    database: str
    road: LyingProxy
    witness: Witness
    lax: Witness
    credential: str

    @property
    def settings(self) -> KafkaSettings:
        return KafkaSettings(self.kafka.bootstrap)

    def role(self, service: str) -> Role:
        """Its first process."""
        return self.cluster.of(service)[0]

    def load(self) -> Load:
        return Load(self.role("issuer").url, self.role("revocation").url, self.cluster.admin(), self.end)

    def end(self, access: str, at: float) -> None:
        """Both verifiers are asked about this session from now on."""
        self.witness.end(access, at)
        self.lax.end(access, at)

    def watch_anew(self) -> None:
        """Once all is well; what was seen before does not count."""
        until(lambda: self.witness.verifier.ready and self.witness.open == 0, timeout=PATIENCE_S)
        until(lambda: self.lax.open == 0, timeout=PATIENCE_S)
        self.witness.anew()
        self.lax.wrong.clear()

    def all_refused(self) -> None:
        until(lambda: self.witness.open == 0, timeout=PATIENCE_S)

    def topic_says_what_the_log_says(self) -> None:
        """Each event once in effect, in the order of its stream: as soon as the relay has told everything."""
        await_all_told(self.cluster.iss, self.cluster.admin(), self.settings, SESSIONS, timeout=PATIENCE_S)


@contextmanager
def scene(
    folder: Path,
    database: str,
    *,
    nodes: int = 1,
    replication: int = 1,
    settings: Mapping[str, str] = QUICK,
    away: bool = False,
    options: Sequence[str] = (),
) -> Iterator[Scene]:
    """One process of each service, ready and watched. `away`: Kafka is dead before anything starts, and stays so.

    `settings` of each broker, `options` of each service.
    """
    (folder / "kafka").mkdir()
    with (
        kafka_cluster(folder / "kafka", nodes, settings) as kafka,
        cluster(
            folder,
            database=database,
            kafka=kafka.bootstrap,
            partitions=PARTITIONS,
            replication=replication,
            options=options,
        ) as made,
        serving(LyingProxy, made.of("revocation")[0].url) as road,
    ):
        made.of("relay")[0].reach(made.of("revocation")[0].url, road.url)
        for node in kafka.nodes if away else ():
            node.kill()
        made.bootstrap()
        if not away:
            made.topics()
        made.start()
        for service in ("issuer", "revocation"):
            made.of(service)[0].await_ready()
        if not away:
            made.await_ready()
        feed = made.of("revocation")[0].url
        credential, other = (add_verifier(made.stage(), name) for name in ("witness", "lax"))
        with witness(made.iss, feed, credential) as watching, witness(made.iss, feed, other, policy="best_effort") as lax:
            shown = Scene(made, kafka, database, road, watching, lax, credential)
            shown.watch_anew()
            yield shown
