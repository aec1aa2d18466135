"""Apache Kafka's jars, fetched once from Maven Central by `mvn`, kept in .cache/kafka."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

VERSION = "4.3.1"
CACHE = Path(__file__).resolve().parents[2] / ".cache" / "kafka"

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>rescind</groupId><artifactId>test-broker</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>{VERSION}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.24.3</version></dependency>
</dependencies></project>
"""


def missing() -> str:
    """What a broker from jars lacks here, in words; empty when nothing."""
    if not shutil.which("java"):
        return "java (17 or newer)"
    return "" if _folder().exists() or shutil.which("mvn") else "mvn, which fetches Kafka's jars"


def jars() -> Path:
    """The folder with all jars; fetches them where they are missing."""
    if not _folder().exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            (Path(made) / "pom.xml").write_text(_POM, "utf-8")
            subprocess.run(
                ["mvn", "-q", "-B", "dependency:copy-dependencies", f"-DoutputDirectory={made}/libs"],
                cwd=made,
                check=True,
                capture_output=True,
                timeout=300,
            )
            Path(made, "libs").rename(_folder())  # whole or not at all
    return _folder()


def _folder() -> Path:
    return CACHE / f"libs-{VERSION}"
