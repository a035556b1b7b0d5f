#!/usr/bin/env python3
"""Measure how fast `swarm up` is ready, all six services of it, and how much memory it idles with.

Usage: make bench-start   (or scripts/bench/start.py PROGRAM)
  CHECK=1   exit with 1 when a later start takes over 1 s or the idle process over 150 MiB
  STARTS=N  starts on the existing store (5)

Every start is a new process on the data folder of the first, with free ports and no local
model. The time runs from the creation of the process until /ready of each admin port says 200.
"""

from __future__ import annotations

import argparse
import http.client
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PORT_KEYS = (
    ["gateway.rest", "gateway.websocket"]
    + [f"{service}.grpc" for service in ("agent_manager", "consensus", "memory", "learning", "auth")]
    + [f"{service}.admin" for service in ("gateway", "agent_manager", "consensus", "memory", "learning", "auth")]
)
READY_LIMIT_S = 30.0
IDLE_S = 5.0
GOAL_START_S = 1.0
GOAL_IDLE_MIB = 150.0


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def memory_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def environment(folder: Path) -> dict[str, str]:
    """Ours, without a model or database that would be measured along with the services."""
    mine = {name: value for name, value in os.environ.items() if not name.startswith("QWEN_SWARM__")}
    for name in ("QWEN_API_KEY", "OPENAI_API_KEY", "OPENAI_BASE_URL", "DATABASE_URL", "REDIS_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"):
        mine.pop(name, None)
    empty = folder / "no-models"
    empty.mkdir(exist_ok=True)
    return mine | {"QWEN_SWARM_MODELS": str(empty)}


class Run:
    """One start of the program."""

    def __init__(self, program: Path, folder: Path) -> None:
        ports = free_ports(len(PORT_KEYS))
        arguments = [str(program), "up", "--data", str(folder / "data")]
        for key, port in zip(PORT_KEYS, ports):
            arguments += ["--set", f"{key}=127.0.0.1:{port}"]
        waiting = [port for key, port in zip(PORT_KEYS, ports) if key.endswith(".admin")]
        self.log = folder / "log"
        with self.log.open("wb") as log:
            begun = time.perf_counter()
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, cwd=folder, env=environment(folder))
        try:
            while waiting := [port for port in waiting if not is_ready(port)]:
                self.check_alive(time.perf_counter() - begun)
                time.sleep(0.002)
        except BaseException:
            self.process.kill()
            raise
        self.ready_after_s = time.perf_counter() - begun

    def check_alive(self, waited_s: float) -> None:
        if self.process.poll() is None and waited_s < READY_LIMIT_S:
            return
        print(self.log.read_text(encoding="utf-8", errors="replace")[-2000:], file=sys.stderr)
        raise SystemExit(f"swarm up was not ready after {waited_s:.1f} s (exit code {self.process.returncode})")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit("swarm up did not stop within 30 s of SIGTERM") from None


def measure(program: Path, starts: int) -> tuple[float, list[float], float]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        run = Run(program, folder)
        first = run.ready_after_s
        run.stop()
        later = []
        for index in range(starts):
            run = Run(program, folder)
            later.append(run.ready_after_s)
            if index + 1 == starts:
                time.sleep(IDLE_S)
                idle = memory_mib(run.process.pid)
            run.stop()
        return first, later, idle


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the program swarm")
    program = parser.parse_args().program.resolve()
    first, later, idle = measure(program, int(os.environ.get("STARTS", "5")))
    worst = max(later)
    print(f"first start, on an empty folder   {first:6.2f} s")
    print(f"later starts, median              {statistics.median(later):6.2f} s")
    print(f"later starts, slowest of {len(later):<3}      {worst:6.2f} s   goal {GOAL_START_S:.0f} s")
    print(f"memory {IDLE_S:.0f} s after the last start   {idle:6.0f} MiB goal {GOAL_IDLE_MIB:.0f} MiB")
    missed = worst > GOAL_START_S or idle > GOAL_IDLE_MIB
    print("a goal is missed" if missed else "goals are met")
    sys.exit(1 if missed and os.environ.get("CHECK") == "1" else 0)


if __name__ == "__main__":
    main()
