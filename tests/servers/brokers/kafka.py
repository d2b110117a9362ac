"""Apache Kafka: one KRaft node, from Maven, without its shell scripts."""

import hashlib
import pathlib
import shutil
import subprocess
import tempfile

from .child import Child, Unavailable, say

VERSION = "3.9.1"
FETCHES = 3  # A registry that is busy for a moment is no missing server.
CLUSTER = "Q2lycm9UZXN0Q2x1c3Rlcg"  # 16 bytes in base64, any will do.
ARCHIVE_SECONDS = 120  # To write the class archive, on a busy machine.
JVM = ["-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
       "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>dev.cirro</groupId>
  <artifactId>kafka-for-tests</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>1.7.36</version>
    </dependency>
  </dependencies>
</project>
"""
# One of everything, because one node is all there is, and groups that begin
# without waiting for more members.
PROPERTIES = """process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=1
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms={session_ms}
broker.heartbeat.interval.ms=500
num.network.threads=1
num.io.threads=2
background.threads=1
num.recovery.threads.per.data.dir=1
log.cleaner.dedupe.buffer.size=2097152
log.cleaner.io.buffer.size=65536
"""


class Kafka(Child):
    what = f"Apache Kafka {VERSION}"
    ports_needed = 2
    # A broker that was killed is taken back after so long. One that a busy
    # machine keeps still for as long leads nothing for a while, and where that
    # happens again and again, it forgets its groups and what they committed.
    session_ms = 9_000

    def __init__(self, cache, data):
        super().__init__(cache, data)
        self._home = cache / "kafka" / VERSION
        self._archive_path = None
        self._jvm = None  # How to treat classes, where not as usual.

    def prepare(self):
        if shutil.which("java") is None:
            raise Unavailable("no java on the PATH (./dev setup)")
        if not (self._home / "libs").is_dir():
            self._fetch()
        if not (self._home / "data.template").is_dir():
            self._format()
        if not self._archive().exists():
            self._make_archive()

    def _class_path(self):
        # The class archive holds for one order of the jars.
        return ":".join(map(str, sorted((self._home / "libs").glob("*.jar"))))

    def _archive(self):
        """Named by what it depends on: the JVM, and where the jars are."""
        if self._archive_path is None:
            java = subprocess.run(["java", "-version"], capture_output=True,
                                  check=False).stderr
            key = hashlib.sha256(java + self._class_path().encode())
            name = f"classes-{key.hexdigest()[:12]}.jsa"
            self._archive_path = self._home / name
        return self._archive_path

    def _fetch(self):
        if shutil.which("mvn") is None:
            raise Unavailable("no mvn on the PATH to fetch it (./dev setup)")
        say(f"Fetching {self.what} from Maven into {self._home} (46 MB, once)")
        self._home.mkdir(parents=True, exist_ok=True)
        (self._home / "pom.xml").write_text(POM)
        part = self._home / "libs.part"
        shutil.rmtree(part, ignore_errors=True)
        for tries_left in reversed(range(FETCHES)):
            fetched = subprocess.run(
                ["mvn", "-q", "-B", "-f", self._home / "pom.xml",
                 "dependency:copy-dependencies", "-DincludeScope=runtime",
                 f"-DoutputDirectory={part}"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False)
            if fetched.returncode == 0:
                break
            lines = (fetched.stdout + fetched.stderr).strip().splitlines()
            why = ("Maven cannot fetch it: "
                   f"{lines[0] if lines else 'it says nothing'}")
            if not tries_left:
                raise Unavailable(why)
            say(f"{why}; once more")
        part.rename(self._home / "libs")

    def _write_properties(self, folder: pathlib.Path, data, ports):
        file = folder / "server.properties"
        file.write_text(PROPERTIES.format(port=ports[0], controller=ports[1],
                                          data=data,
                                          session_ms=self.session_ms))
        return file

    def _format(self):
        say(f"Formatting a log directory for {self.what} (once)")
        with tempfile.TemporaryDirectory(dir=self._home) as folder:
            data = pathlib.Path(folder) / "data"
            file = self._write_properties(pathlib.Path(folder), data, [1, 2])
            formatted = subprocess.run(
                ["java", "-cp", self._class_path(), "kafka.tools.StorageTool",
                 "format", "-t", CLUSTER, "-c", file],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False)
            if formatted.returncode != 0:
                raise Unavailable("its log directory cannot be formatted: "
                                  f"{formatted.stderr.strip()[-500:]}")
            data.rename(self._home / "data.template")

    def _make_archive(self):
        """Written by a JVM that ends: later ones start in half the time."""
        say(f"Making a class archive of {self.what} (4 s, once)")
        part = self._archive().with_suffix(".part")
        part.unlink(missing_ok=True)
        self._jvm = [f"-XX:ArchiveClassesAtExit={part}"]
        self.start()
        try:
            self.wait_until_ready()
            whole = self.stop(ARCHIVE_SECONDS)
        except SystemExit:  # Its JVM does not know the word.
            whole = False
        finally:
            self.stop()
            self._jvm = None
        if whole and part.exists():
            part.rename(self._archive())
        else:
            say(f"This java writes no class archive; {self.what} starts "
                f"slowly:\n{self.end_of_log()}")

    def command(self, fresh):
        if fresh:
            shutil.rmtree(self.data, ignore_errors=True)
            self.data.mkdir()
            shutil.copytree(self._home / "data.template", self.data / "log")
        file = self._write_properties(self.data, self.data / "log", self.ports)
        jvm = self._jvm or []
        if not jvm and self._archive().exists():
            jvm = [f"-XX:SharedArchiveFile={self._archive()}", "-Xshare:auto"]
        return ["java", *JVM, *jvm, "-cp", self._class_path(), "kafka.Kafka",
                str(file)]

    def answers(self):
        return True  # The port opens when everything else is done.

    def environment(self):
        told = {"CIRRO_TEST_KAFKA_URL": self.address(),
                "CIRRO_TEST_KAFKA_HOME": str(self._home)}
        if self._archive().exists():
            told["CIRRO_TEST_KAFKA_ARCHIVE"] = str(self._archive())
        return told
