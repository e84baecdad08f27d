"""The command lines of Kafka's two programs, and the class archive that makes them start sooner."""

import shutil

from topics.broker import maven
from topics.broker.folder import Folder


class Jvm:
    """Runs Kafka's classes for the broker in `folder`.

    The first orderly stop takes 3 s longer and leaves an archive of loaded classes (Java's class data
    sharing) beside the jars; later starts take 1.5 s instead of 2.6. Java ignores one that does not fit.
    """

    def __init__(self, folder: Folder, heap: str) -> None:
        self._java = maven.java()
        self._jars = maven.jars()
        self._archive = self._jars.with_name(f"{self._jars.name}.jsa")
        self._new_archive = folder.path / "classes.jsa"
        self._folder = folder
        self._heap = heap

    def broker(self) -> list[str]:
        """Runs the broker on the folder's `server.properties`, its log on stdout."""
        self._new_archive.unlink(missing_ok=True)  # a killed broker may have left half of one
        if self._archive.exists():
            sharing = f"-XX:SharedArchiveFile={self._archive}"
        else:
            sharing = f"-XX:ArchiveClassesAtExit={self._new_archive}"
        options = [
            f"-Xmx{self._heap}",
            "-XX:+UseSerialGC",
            "-XX:+ExitOnOutOfMemoryError",
            "-Xlog:cds=error",
            sharing,
        ]
        logging = f"-Dlog4j2.configurationFile={self._folder.path / 'log4j2.properties'}"
        return [*self._run(*options, logging), "kafka.Kafka", str(self._folder.properties)]

    def format(self, cluster_id: str) -> list[str]:
        """Prepares the data folder; does nothing to one that is prepared."""
        options = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        if self._archive.exists():
            options.append(f"-XX:SharedArchiveFile={self._archive}")
        arguments = ["--ignore-formatted", "--cluster-id", cluster_id]
        tool = [*self._run(*options), "kafka.tools.StorageTool", "format", *arguments]
        return [*tool, "--config", str(self._folder.properties)]

    def keep_archive(self) -> None:
        """Moves the archive a stopped broker wrote to where later starts look for it."""
        if not self._new_archive.exists():
            return
        beside = self._archive.with_name(f"{self._archive.name}.{self._folder.path.name}")
        shutil.move(self._new_archive, beside)
        beside.replace(self._archive)

    def _run(self, *options: str) -> list[str]:
        # In order of name: the archive serves only the very class path it was made with.
        classpath = ":".join(str(jar) for jar in sorted(self._jars.glob("*.jar")))
        return [self._java, *options, "-cp", classpath]
