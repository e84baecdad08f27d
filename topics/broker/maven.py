"""Apache Kafka's jars, fetched once per user from Maven Central."""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from topics.broker.errors import JarsMissing

KAFKA_VERSION = "4.3.1"
"""The newest release all of whose jars are on Maven Central (4.4.0 lacks kafka-tools-api there)."""
SCALA_VERSION = "2.13"
LOG4J_VERSION = "2.25.4"
"""The one Kafka depends on; it brings the logger itself but not the bridge from slf4j 1.7."""

_POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>strikeline</groupId>
  <artifactId>local-kafka</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_{SCALA_VERSION}</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOG4J_VERSION}</version>
    </dependency>
  </dependencies>
</project>
"""


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """`STRIKELINE_KAFKA_CACHE`, else `strikeline` in the user's cache folder."""
    if chosen := environ.get("STRIKELINE_KAFKA_CACHE"):
        return Path(chosen)
    base = environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "strikeline"


def java() -> str:
    """Path of the `java` to run; raises JarsMissing without one."""
    home = os.environ.get("JAVA_HOME")
    found = shutil.which("java", path=f"{home}/bin") if home else None
    found = found or shutil.which("java")
    if found is None:
        raise JarsMissing("java is not installed (a broker needs a Java runtime of version 17 or newer)")
    return found


def jars(cache: Path | None = None) -> Path:
    """The folder with the broker's jars; the first call fetches them (44 MB), later ones only look.

    Safe to call from several processes at once. Raises JarsMissing when Maven is missing or fails.
    """
    cache = cache or cache_folder()
    folder = cache / f"kafka-{KAFKA_VERSION}"
    if folder.is_dir():
        return folder
    cache.mkdir(parents=True, exist_ok=True)
    with _locked(cache / "lock"):
        if not folder.is_dir():
            _fetch(folder)
    return folder


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise JarsMissing("mvn (Apache Maven) is not installed, it fetches Kafka's jars once")
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder.parent) as scratch:
        pom, target = Path(scratch, "pom.xml"), Path(scratch, "jars")
        pom.write_text(_POM)
        goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={target}"]
        done = subprocess.run(
            [mvn, "--quiet", "--batch-mode", f"--file={pom}", *goal],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if done.returncode != 0:
            raise JarsMissing(f"mvn could not fetch Kafka {KAFKA_VERSION}:\n{done.stdout[-2000:]}")
        target.rename(folder)
