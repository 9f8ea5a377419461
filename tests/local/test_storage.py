"""Azurite's life cycle and the blob store, against a real Azurite."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from mlops_kit.errors import LocalError
from mlops_kit.local import azurite as install
from mlops_kit.local.arm.wire import ArmError, BadRequestError, NotFoundError
from mlops_kit.local.azurite.process import Azurite, stop_recorded
from mlops_kit.local.settings import LocalSettings
from mlops_kit.local.storage import BlobStore, Quota


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Azurite]:
    running = Azurite.start(LocalSettings(tmp_path_factory.mktemp("storage")))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def blobs(service: Azurite) -> BlobStore:
    store = BlobStore(service)
    store.ensure_container("one")
    return store


def test_creating_a_container_twice_changes_nothing(blobs: BlobStore) -> None:
    blobs.put("one", "kept", b"kept")
    blobs.ensure_container("one")
    assert blobs.get("one", "kept") == b"kept"


@pytest.mark.parametrize("path", ["plain.txt", "a folder/ü+%20&=#?.txt", "deep/er/~x_-.csv", "日本/データ.parquet"])
def test_a_blob_comes_back_byte_for_byte_whatever_its_name(blobs: BlobStore, path: str) -> None:
    content = bytes(range(256)) * 10
    blobs.put("one", path, content)
    assert blobs.get("one", path) == content
    assert blobs.size("one", path) == len(content)
    assert b"".join(blobs.stream("one", path)) == content
    assert path in [blob.name for blob in blobs.list("one", path[:3])]


@pytest.mark.parametrize("path", ["plain.txt", "a folder/ü+%20&=#?.txt", "日本/データ.parquet"])
def test_a_copy_outlives_its_source_whatever_its_name(blobs: BlobStore, path: str) -> None:
    blobs.put("one", f"copied/{path}", b"content")
    [blob] = blobs.list("one", "copied/")
    blobs.ensure_container("copies")
    blobs.copy(blob, "one", "copies", f"to/{path}")
    blobs.delete("one", "copied")
    assert blobs.get("copies", f"to/{path}") == b"content"
    with pytest.raises(NotFoundError):
        blobs.copy(blob, "one", "copies", "again")


def test_missing_blobs_and_containers_are_named(blobs: BlobStore) -> None:
    assert not blobs.exists("one", "nothing")
    with pytest.raises(NotFoundError, match="The blob 'one/nothing' was not found"):
        blobs.get("one", "nothing")
    with pytest.raises(NotFoundError, match="The blob 'one/nothing' was not found"):
        blobs.size("one", "nothing")
    with pytest.raises(NotFoundError, match="The blob 'one/nothing' was not found"):
        next(blobs.stream("one", "nothing"))
    with pytest.raises(NotFoundError, match="The container 'two' was not found"):
        blobs.put("two", "x", b"")


def test_a_tree_of_many_small_files_comes_back_the_same(blobs: BlobStore, tmp_path: Path) -> None:
    written = {f"{number % 7}/{number}.txt": f"file {number}" for number in range(200)}
    for name, text in written.items():
        target = tmp_path / "up" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    blobs.upload_tree("one", "tree/many", tmp_path / "up")
    names = blobs.download_tree("one", "tree/many/", tmp_path / "down")
    assert names == sorted(written)
    assert {name: (tmp_path / "down" / name).read_text() for name in names} == written


def test_a_listing_goes_on_past_the_first_page(service: Azurite, blobs: BlobStore) -> None:
    written = [f"pages/{number}" for number in range(10)]
    for name in written:
        blobs.put("one", name, b"")
    assert [blob.name for blob in BlobStore(service, page=3).list("one", "pages/")] == written


def test_deleting_a_path_leaves_its_namesakes(blobs: BlobStore) -> None:
    for name in ("job1", "job1/a", "job1/b/c", "job10/a"):
        blobs.put("one", f"del/{name}", b"x")
    assert blobs.delete("one", "del/job1") == 3
    assert [blob.name for blob in blobs.list("one", "del/")] == ["del/job10/a"]


def test_a_file_larger_than_one_request_goes_up_in_blocks(service: Azurite, blobs: BlobStore, tmp_path: Path) -> None:
    source = tmp_path / "large"
    with source.open("wb") as output:
        output.truncate((256 << 20) + 5)
    blobs.upload_file("one", "large", source)
    assert blobs.size("one", "large") == (256 << 20) + 5
    blobs.delete("one", "large")


def test_a_blob_name_cannot_lead_out_of_the_folder(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put("one", "evil/x/../../../escaped", b"x")
    with pytest.raises(BadRequestError, match="leads out of the folder"):
        blobs.download_tree("one", "evil", tmp_path / "inside")
    assert not list(tmp_path.rglob("escaped"))


def _opened(service: Azurite, url: str, method: str = "GET", data: bytes | None = None) -> bytes:
    """Ask Azurite itself what the router would lead the product's host name to."""
    near = url.replace(
        "https://devstoreaccount1.blob.core.mlops.test", f"https://127.0.0.1:{service.port}/devstoreaccount1"
    )
    trusted = ssl.create_default_context(cafile=str(service.settings.certificates / "authority.pem"))
    request = urllib.request.Request(near, data, {"x-ms-blob-type": "BlockBlob"}, method=method)
    with urllib.request.urlopen(request, context=trusted) as response:
        content: bytes = response.read()
        return content


def test_a_signed_link_reads_its_blob_and_nothing_else(service: Azurite, blobs: BlobStore) -> None:
    blobs.put("one", "signed/ü b.txt", b"seen")
    link = blobs.sas_url("one", "signed/ü b.txt")
    assert link.startswith("https://devstoreaccount1.blob.core.mlops.test/one/signed/%C3%BC%20b.txt?")
    assert _opened(service, link) == b"seen"
    blobs.put("one", "signed/other", b"hidden")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _opened(service, link.replace("%C3%BC%20b.txt", "other"))
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _opened(service, link, "PUT", b"changed")


def test_a_signed_link_on_a_container_writes_and_lists(service: Azurite, blobs: BlobStore) -> None:
    base, _, signature = blobs.sas_url("one", None, "rwdl").partition("?")
    _opened(service, f"{base}/by-link?{signature}", "PUT", b"written")
    assert blobs.get("one", "by-link") == b"written"
    assert b"by-link" in _opened(service, f"{base}?{signature}&restype=container&comp=list&prefix=by-")


def test_a_signed_link_ends(service: Azurite, blobs: BlobStore) -> None:
    blobs.put("one", "late", b"x")
    with pytest.raises(urllib.error.HTTPError, match="403"):
        _opened(service, blobs.sas_url("one", "late", hours=-1))


def test_the_newest_storage_sdk_is_answered(service: Azurite, blobs: BlobStore) -> None:
    from azure.storage.blob import BlobServiceClient

    from mlops_kit.local.settings import STORAGE_KEY

    client = BlobServiceClient(
        f"https://127.0.0.1:{service.port}/devstoreaccount1",
        credential={"account_name": "devstoreaccount1", "account_key": STORAGE_KEY},
        connection_verify=str(service.settings.certificates / "authority.pem"),
    )
    client.get_blob_client("one", "by-sdk").upload_blob(b"from the SDK", overwrite=True)
    assert blobs.get("one", "by-sdk") == b"from the SDK"


def test_connections_that_azurite_closed_are_replaced(service: Azurite, blobs: BlobStore) -> None:
    import time

    blobs.put("one", "idle", b"x")
    time.sleep(5.5)  # longer than Azurite keeps an idle connection
    assert blobs.get("one", "idle") == b"x"


def test_azurite_is_checked_and_recorded(service: Azurite) -> None:
    record = json.loads((service.settings.state / "azurite.json").read_text())
    assert record["port"] == service.port
    assert str(service.settings.blobs) in psutil.Process(record["pid"]).cmdline()
    assert (service.settings.blobs.stat().st_mode & 0o777) == 0o700
    flags = psutil.Process(record["pid"]).cmdline()
    assert {"--skipApiVersionCheck", "--disableTelemetry", "--loose"} <= set(flags)


def test_data_survive_a_restart(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path)
    first = Azurite.start(settings)
    store = BlobStore(first)
    store.ensure_container("kept")
    store.put("kept", "a", b"still here")
    first.stop()
    second = Azurite.start(settings)
    assert BlobStore(second).get("kept", "a") == b"still here"
    second.stop()


def test_an_azurite_that_was_left_behind_is_stopped_and_loses_nothing(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path)
    left = Azurite.start(settings)
    store = BlobStore(left)
    store.ensure_container("kept")
    store.put("kept", "a", b"acknowledged")
    pid = json.loads((tmp_path / "azurite.json").read_text())["pid"]
    second = Azurite.start(settings)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    assert BlobStore(second).get("kept", "a") == b"acknowledged"
    second.stop()


def test_a_recorded_pid_that_now_belongs_to_another_process_is_left_alone(tmp_path: Path) -> None:
    record = {"pid": os.getpid(), "born": "another-boot/1000", "port": 1}
    (tmp_path / "azurite.json").write_text(json.dumps(record))
    assert not stop_recorded(tmp_path)
    assert not (tmp_path / "azurite.json").exists()


@pytest.mark.parametrize("text", ["", "{", "null", "[1]", '{"pid": "x", "born": 0, "port": 1}', '{"pid": 1}'])
def test_a_damaged_record_names_no_process(tmp_path: Path, text: str) -> None:
    (tmp_path / "azurite.json").write_text(text)
    assert not stop_recorded(tmp_path)


def test_a_killed_azurite_is_started_again_on_its_port_and_a_request_waits_for_it(tmp_path: Path) -> None:
    running = Azurite.start(LocalSettings(tmp_path))
    try:
        store = BlobStore(running)
        store.ensure_container("kept")
        store.put("kept", "a", b"1")
        time.sleep(6)  # Azurite saves its index every five seconds
        assert not running.revive()
        port, pid = running.port, json.loads((tmp_path / "azurite.json").read_text())["pid"]
        psutil.Process(pid).kill()
        with ThreadPoolExecutor(1) as threads:
            read = threads.submit(store.get, "kept", "a")
            while not running.revive():
                time.sleep(0.01)
            assert read.result() == b"1"
        assert (running.port, json.loads((tmp_path / "azurite.json").read_text())["port"]) == (port, port)
    finally:
        running.stop()


def test_an_azurite_that_cannot_start_says_why(tmp_path: Path) -> None:
    settings = LocalSettings(tmp_path)
    settings.blobs.write_text("a file where the folder should be")
    with pytest.raises((LocalError, FileExistsError)) as caught:
        Azurite.start(settings)
    assert str(settings.blobs) in str(caught.value)


@pytest.mark.parametrize(
    ("package", "said"),
    [
        (None, "is not the folder of an installed azurite"),
        ({"name": "azurite", "version": "3.1.0"}, "holds azurite 3.1.0; azurite 3.35.0 is needed"),
        ({"name": "other", "version": "3.35.0"}, "holds other 3.35.0"),
    ],
)
def test_a_folder_that_is_not_the_pinned_azurite_is_refused(
    tmp_path: Path, package: dict[str, str] | None, said: str
) -> None:
    if package:
        (tmp_path / "package.json").write_text(json.dumps(package))
    with pytest.raises(LocalError, match=said):
        install.installed({install.FOLDER_VARIABLE: str(tmp_path)})


def test_the_lock_file_pins_azurite_and_names_no_registry() -> None:
    folder = Path(install.__file__).parent
    lock = json.loads((folder / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/azurite"]["version"] == install.VERSION
    assert json.loads((folder / "package.json").read_text())["dependencies"] == {"azurite": install.VERSION}
    packages = {name: facts for name, facts in lock["packages"].items() if name}
    assert not [name for name, facts in packages.items() if "resolved" in facts]
    assert not [name for name, facts in packages.items() if not facts["integrity"].startswith("sha512-")]


def test_the_cache_folder_follows_the_users_settings(tmp_path: Path) -> None:
    assert install.cache({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "mlops_kit"
    assert install.cache({"HOME": str(tmp_path)}).is_relative_to(tmp_path)


def test_a_write_beyond_the_quota_is_refused_and_names_it(service: Azurite) -> None:
    limited = LocalSettings(service.settings.state, quota_bytes=10)
    with pytest.raises(ArmError, match=r"quota of 10 bytes \(quota_bytes\)") as caught:
        Quota(limited).check(1)
    assert caught.value.status == 413
    Quota(service.settings).check(1 << 60)


def test_uploads_count_towards_the_quota_before_they_are_written(tmp_path: Path) -> None:
    service = Azurite.start(LocalSettings(tmp_path, quota_bytes=3 << 20))
    try:
        store = BlobStore(service)
        store.ensure_container("full")
        store.put("full", "fits", b"x" * (1 << 20))
        with pytest.raises(ArmError, match="quota"):
            store.put("full", "too-much", b"x" * (2 << 20))
        store.put("full", "more", b"x" * (1 << 20))
        with pytest.raises(ArmError, match="quota"):
            store.copy(store.list("full", "more")[0], "full", "full", "copied")
        assert [blob.name for blob in store.list("full")] == ["fits", "more"]
    finally:
        service.stop()


def test_an_installation_that_fails_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    environ = {
        **{name: value for name, value in os.environ.items() if name != install.FOLDER_VARIABLE},
        "XDG_CACHE_HOME": str(tmp_path),
        "npm_config_registry": "http://127.0.0.1:1",
        "npm_config_fetch_retries": "0",
        "npm_config_cache": str(tmp_path / "npm"),
    }
    with pytest.raises(LocalError, match=r"Azurite 3.35.0 could not be installed: .*ECONNREFUSED"):
        install.installed(environ)
    left = [path.name for path in (tmp_path / "mlops_kit").iterdir()]
    assert [name for name in left if not name.endswith(".lock")] == []


@pytest.mark.slow
@pytest.mark.needs_registry
def test_two_first_starts_install_once(tmp_path: Path) -> None:
    environ = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environ.pop(install.FOLDER_VARIABLE, None)
    command = [sys.executable, "-c", "from mlops_kit.local import azurite; print(azurite.installed())"]
    both = [
        subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    outputs = [process.communicate(timeout=280) for process in both]
    folder = tmp_path / "mlops_kit" / "azurite-3.35.0"
    assert [out for out, _ in outputs] == [f"{folder / 'node_modules' / 'azurite'}\n"] * 2
    assert "".join(err for _, err in outputs).count("Installing Azurite 3.35.0") == 1, outputs
    assert [path.name for path in folder.parent.iterdir() if path.is_dir()] == ["azurite-3.35.0"]
