"""The runs of a study side by side, through Ray."""

from collections.abc import Iterator

from fashion_dgm.errors import FashionDGMError, one_line
from fashion_dgm.experiments.stability.grid import Plan
from fashion_dgm.experiments.stability.measures import RunRecord
from fashion_dgm.experiments.stability.runs import Study
from fashion_dgm.training.distributed.cluster import start_ray

__all__ = ["spread"]


def spread(study: Study, plans: list[Plan], at_a_time: int, gpus: float) -> Iterator[RunRecord]:
    """Does the runs of a study `at_a_time`, on a cluster as many as its cores, and yields their records in order.

    Arguments:
        gpus: of each run; a fraction lets runs share one.

    Raises:
        FashionDGMError: if there is no Ray, the cluster cannot be reached, or a run was killed twice.
    """
    start_ray(num_cpus=at_a_time)
    import ray

    @ray.remote(num_cpus=1, num_gpus=gpus, max_retries=1)
    def run(study: Study, plan: Plan) -> RunRecord:
        # A process for each core: more threads would only be in one another's way.
        return study.run(plan)

    try:
        # The images travel once, not with every run.
        shared = ray.put(study)
        for pending in [run.remote(shared, plan) for plan in plans]:
            yield ray.get(pending)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from None
    except ray.exceptions.RayError as error:
        raise FashionDGMError(
            f"a run was killed: {one_line(str(error))}; the same command goes on from what was saved"
        ) from error
    finally:
        ray.shutdown()
