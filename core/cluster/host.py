"""A local cluster's process: `python -m core.cluster.host WORKERS` prints its address, and ends with its parent."""

import asyncio
import os
import signal
import sys
from contextlib import suppress

# A training step frees and takes the same megabytes hundreds of times a second. Dask has its workers give them back to
# the system each time, at tens of thousands of page faults an epoch; these settings keep them.
KEEP_MEMORY = {
    "MALLOC_MMAP_THRESHOLD_": str(2**30),
    "MALLOC_TRIM_THRESHOLD_": str(2**31),
    "MALLOC_TOP_PAD_": str(2**26),
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1",  # in huge pages, where the system has them
}
NICENESS = 5  # so that a screen never waits for a training step


async def host_cluster(workers: int) -> None:
    """Run a scheduler and its workers until standard input ends; prints the scheduler's address first."""
    import dask
    from distributed import LocalCluster

    dask.config.set(
        {
            "distributed.nanny.pre-spawn-environ": {**KEEP_MEMORY, "OMP_NUM_THREADS": 1},
            "distributed.scheduler.worker-ttl": None,  # goes by the clock of the wall, which may jump
            # What Dask watches itself with would interrupt a training step a hundred times a second.
            "distributed.worker.profile.enabled": False,
            "distributed.admin.tick.interval": "1s",
        }
    )
    os.nice(NICENESS)
    cluster = await LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, host="127.0.0.1", memory_limit=0,
        dashboard_address="127.0.0.1:0", asynchronous=True,
    )  # fmt: skip
    with suppress(BrokenPipeError):  # whoever asked may have gone already
        os.write(sys.stdout.fileno(), f"{cluster.scheduler_address}\n".encode())
    await asyncio.to_thread(sys.stdin.read)
    # Whoever started this is gone, perhaps killed. A worker in the middle of a run would not close for minutes, and
    # nothing here is worth waiting for: what was reported is in the store. The group is this process and its workers.
    os.killpg(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(host_cluster(int(sys.argv[1])))
