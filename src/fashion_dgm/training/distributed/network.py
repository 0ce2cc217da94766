"""Where processes that train together listen: at one address, and never on all interfaces, as torch's own stores do.

What comes through a store is unpickled, so whoever reaches it can run code. On one machine there is no store to reach:
the processes share files in a private folder, and gloo and NCCL use the loopback interface.
"""

from __future__ import annotations

import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import psutil
from torch._C._distributed_c10d import TCPStore

from fashion_dgm.errors import FashionDGMError

if TYPE_CHECKING:
    from torch.distributed.elastic.rendezvous import RendezvousHandler, RendezvousParameters

__all__ = ["BACKEND", "LOOPBACK", "WAIT", "address_towards", "interface_of", "register_backend", "store_at"]

BACKEND = "fashion-dgm"
"""The rendezvous of several machines, once `register_backend` has been called."""

LOOPBACK = "127.0.0.1"

WAIT = 900
"""In seconds, how long machines wait for one another."""


def address_towards(rendezvous: str) -> str:
    """Returns this machine's own address on the network that leads to `HOST:PORT`.

    Raises:
        FashionDGMError: if the port is none, the host is unknown, or there is no network that leads there.
    """
    host, _, port = rendezvous.rpartition(":")
    if not 0 < int(port) < 2**16:
        raise FashionDGMError(f"distributed.rendezvous {rendezvous}: ports are numbers from 1 to 65535")
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(host, int(port), type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.connect(target)  # which sends nothing
            return str(probe.getsockname()[0])
    except OSError as error:
        raise FashionDGMError(f"no network leads to distributed.rendezvous {rendezvous}: {error.strerror}") from error


def interface_of(address: str) -> str:
    """Returns the name of the network interface that has an address of this machine."""
    found = (name for name, own in psutil.net_if_addrs().items() if any(each.address == address for each in own))
    return next(found, "")


def store_at(address: str, port: int, serve: bool, processes: int | None = None) -> TCPStore:
    """Connects to a store, which this process first opens at that address and no other if it is to `serve` it.

    Arguments:
        processes: how many will use it, if that is known.

    Raises:
        FashionDGMError: if the port is in use.
    """
    listening = None
    if serve:
        try:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            # The store closes it.
            listening = socket.create_server((address, port), family=family).detach()
        except OSError as error:
            raise FashionDGMError(
                f"cannot listen at {address}, port {port}: {error.strerror}; name a free port of this machine in "
                "distributed.rendezvous"
            ) from error
    timeout = timedelta(seconds=WAIT)
    return TCPStore(address, port, processes, serve, timeout, wait_for_workers=False, master_listen_fd=listening)


def register_backend() -> None:
    """Makes the rendezvous `BACKEND` known to torch: as its `c10d`, at the address of the named host alone."""
    from torch.distributed.elastic.rendezvous import rendezvous_handler_registry

    rendezvous_handler_registry.register(BACKEND, _rendezvous)


def _rendezvous(parameters: RendezvousParameters) -> RendezvousHandler:
    from torch.distributed.elastic.rendezvous.c10d_rendezvous_backend import C10dRendezvousBackend
    from torch.distributed.elastic.rendezvous.dynamic_rendezvous import create_handler

    class Backend(C10dRendezvousBackend):
        name = BACKEND

    host, _, port = parameters.endpoint.rpartition(":")
    serve = bool(parameters.get_as_bool("is_host"))
    store = store_at(address_towards(parameters.endpoint) if serve else host, int(port), serve)
    return create_handler(store, Backend(store, parameters.run_id), parameters)
