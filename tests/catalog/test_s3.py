"""Every dataset that need not be local, on an S3 server of this machine: credentials, versions, folders."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from kedro.io import AbstractDataset, DataCatalog, DatasetError

from fashion_dgm.catalog.files import StoredDataset
from tests.catalog.test_files import ALL, FOLDERS, KINDS, plain

pytest.importorskip("s3fs", reason="s3fs is not installed; the extra `dev` has it")
moto = pytest.importorskip("moto.server", reason="moto is not installed; the extra `dev` has it")

KEY = {"key": "a key", "secret": "a secret"}


@pytest.fixture(scope="module")
def server() -> Iterator[dict[str, Any]]:
    """Yields the arguments of the file system that lead to a server with a bucket `results`."""
    import s3fs

    server = moto.ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    arguments = {"client_kwargs": {"endpoint_url": f"http://{host}:{port}", "region_name": "eu-central-1"}}
    s3fs.S3FileSystem(**KEY, **arguments).mkdir("results")
    yield arguments
    server.stop()


def entry(kind: type[AbstractDataset], server: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    path = f"s3://results/{kind.__name__}/name"
    return {"type": f"{kind.__module__}.{kind.__name__}", "filepath": path, "fs_args": dict(server), **more}


def leaves(kind: type) -> set[type]:
    return {leaf for derived in kind.__subclasses__() for leaf in leaves(derived)} or {kind}


def test_no_dataset_is_left_out() -> None:
    assert set(KINDS) == leaves(StoredDataset)


@ALL
def test_versions_on_s3(kind: type[AbstractDataset], server: Mapping[str, Any]) -> None:
    config = {"data": entry(kind, server, versioned=True, credentials="s3")}
    make, versions = KINDS[kind], []
    for seed in (0, 1):
        catalog = DataCatalog.from_config(config, {"s3": KEY})
        assert catalog.exists("data") == bool(seed)
        catalog.save("data", make(seed))
        assert plain(catalog.load("data")) == plain(make(seed))
        versions.append(catalog["data"].resolve_save_version())
    first = DataCatalog.from_config(config, {"s3": KEY}, load_versions={"data": versions[0]})
    assert plain(first.load("data")) == plain(make(0))
    assert plain(DataCatalog.from_config(config, {"s3": KEY}).load("data")) == plain(make(1))


@pytest.mark.parametrize("kind", FOLDERS, ids=lambda kind: kind.__name__)
def test_files_of_an_earlier_run_do_not_linger(kind: type[AbstractDataset], server: Mapping[str, Any]) -> None:
    dataset = DataCatalog.from_config({"data": entry(kind, server, credentials="s3")}, {"s3": KEY})["data"]
    for seed in (0, 1):
        dataset.save(KINDS[kind](seed))
        assert plain(dataset.load()) == plain(KINDS[kind](seed))


def test_without_credentials_it_is_refused(server: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    kind = next(iter(KINDS))
    with pytest.raises(DatasetError, match="redentials"):
        DataCatalog.from_config({"data": entry(kind, server)})["data"].save(KINDS[kind](0))
