"""Ray, which places runs on processors and GPUs of this machine or of a cluster."""

import logging
import os
from typing import Any

from fashion_dgm.errors import FashionDGMError

__all__ = ["start_ray"]


def start_ray(**options: Any) -> None:
    """Starts Ray on this machine with `options` of `ray.init`, or connects to the cluster at `RAY_ADDRESS`.

    Raises:
        FashionDGMError: if there is no Ray, or the cluster cannot be reached.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError:
        raise FashionDGMError("several runs at a time need Ray: pip install -c constraints.txt -e '.[ray]'") from None
    # Without an address Ray would join whatever it finds on this machine, someone else's too.
    address = os.environ.get("RAY_ADDRESS") or "local"
    here = options if address == "local" else {}
    try:
        ray.init(address, include_dashboard=False, logging_level=logging.ERROR, log_to_driver=False, **here)
    except (ConnectionError, ValueError) as error:
        raise FashionDGMError(f"cannot reach the Ray cluster at {address} (RAY_ADDRESS): {error}") from error
