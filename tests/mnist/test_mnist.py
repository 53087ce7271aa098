"""MNIST and the pairs drawn from it."""

import gzip
import hashlib
import logging
import re
import subprocess
import sys

import pytest
import torch

from core.mnist import files
from core.mnist.files import (
    DATA,
    TEST_CLASSES,
    DataError,
    average_windows,
    find_missing,
    read_test_classes,
    read_test_images,
    unpack_mnist,
)
from core.mnist.pairs import Digits, draw_pairs, draw_round, load_digits, standardise


def test_all_seventy_thousand_digits_are_there():
    train, test = load_digits(True), load_digits(False)
    assert train.images.shape == (60_000, 14, 14)
    assert test.images.shape == (10_000, 14, 14)
    assert torch.bincount(test.classes).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_images_are_means_over_two_by_two_windows():
    from torchvision.datasets import MNIST

    original = MNIST(DATA, train=False).data[7].float()
    image = load_digits(False).images[7]
    assert image[6, 5] == original[12:14, 10:12].mean()
    assert image.mean() == original.mean()


def test_the_pictures_of_the_test_half_are_those_that_the_networks_see():
    images = read_test_images()
    assert images.shape == (10_000, 28, 28)
    assert (average_windows(images[:50]) == load_digits(False).images[:50].round().numpy()).all()
    assert (read_test_classes() == load_digits(False).classes.numpy()).all()


def test_no_image_comes_twice_and_the_target_is_first_at_most_second():
    digits = Digits(torch.rand(500, 14, 14), torch.arange(500) % 10)
    pairs = draw_pairs(digits, 250, torch.Generator().manual_seed(0))
    assert sorted(pairs.indices.flatten().tolist()) == list(range(500))
    assert torch.equal(pairs.images[17, 1], digits.images[pairs.indices[17, 1]])
    assert pairs.target.tolist() == [float(a <= b) for a, b in pairs.classes.tolist()]


def test_more_pairs_than_images_is_one_sentence():
    digits = Digits(torch.rand(20, 14, 14), torch.arange(20) % 10)
    with pytest.raises(ValueError, match="11 pairs were asked for, but 20 images make 1 to 10"):
        draw_pairs(digits, 11, torch.Generator())


def test_a_round_is_decided_by_its_seed_alone():
    one, again, other = draw_round(3), draw_round(3), draw_round(4)
    assert torch.equal(one.training.indices, again.training.indices)
    assert torch.equal(one.test.indices, again.test.indices)
    assert not torch.equal(one.test.indices, other.test.indices)
    assert (len(one.training), len(one.validation), len(one.test)) == (800, 200, 1000)
    assert not set(one.training.indices.flatten().tolist()) & set(one.validation.indices.flatten().tolist())


def test_the_test_pairs_do_not_depend_on_the_number_of_training_pairs():
    assert torch.equal(draw_round(5, 100).test.indices, draw_round(5, 25_000).test.indices)
    assert len(draw_round(5, 25_000).training) == 20_000


def test_standardised_training_pairs_have_mean_0_and_deviation_1():
    drawn = draw_round(0)
    images = torch.cat([drawn.training.images, drawn.validation.images])
    standard = standardise(images, drawn.mean, drawn.deviation)
    assert standard.mean().item() == pytest.approx(0, abs=1e-5)
    assert standard.std().item() == pytest.approx(1, abs=1e-5)


@pytest.fixture
def bundle(tmp_path):
    """A small stand-in for the bundled files: one file and its sum."""
    content = b"sixteen digits.."
    folder = tmp_path / "MNIST"
    folder.mkdir()
    (folder / "digits.gz").write_bytes(gzip.compress(content))
    (folder / "SHA256SUMS").write_text(f"{hashlib.sha256(content).hexdigest()}  digits\n")
    return tmp_path


def test_a_damaged_unpacked_file_is_named_and_unpacked_again(bundle, caplog):
    unpack_mnist(bundle)
    assert not caplog.records
    unpacked = bundle / "MNIST" / "raw" / "digits"
    unpacked.write_bytes(b"damaged")
    with caplog.at_level(logging.WARNING):
        unpack_mnist(bundle)
    assert unpacked.read_bytes() == b"sixteen digits.."
    assert str(unpacked) in caplog.text


def test_one_file_alone_is_unpacked(bundle):
    unpack_mnist(bundle, only="other")
    assert not (bundle / "MNIST" / "raw" / "digits").exists()
    unpack_mnist(bundle, only="digits")
    assert (bundle / "MNIST" / "raw" / "digits").exists()


@pytest.mark.parametrize(
    "content",
    [b"no gzip", gzip.compress(b"other bytes"), gzip.compress(b"sixteen digits..")[:-9]],
    ids=["no gzip", "other bytes", "cut short"],  # gzip writes the time into each
)
def test_a_damaged_bundle_is_named(bundle, content):
    (bundle / "MNIST" / "digits.gz").write_bytes(content)
    with pytest.raises(DataError, match=r"digits\.gz .*restore data/MNIST from the repository"):
        unpack_mnist(bundle)


@pytest.fixture
def no_network(monkeypatch):
    """Downloads that fail; gives the list of those that were tried."""
    tried = []

    def fail(command, **options):
        tried.append(command)
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(files.subprocess, "run", fail)
    monkeypatch.setattr(files, "_REFUSED", {})
    return tried


def test_without_a_bundle_and_a_network_there_is_one_sentence_and_one_download_a_minute(tmp_path, no_network):
    for _ in range(3):
        with pytest.raises(DataError, match=r"^MNIST is missing in .*MNIST and cannot be downloaded; restore .*\.$"):
            unpack_mnist(tmp_path)
    assert len(no_network) == 1
    assert find_missing(tmp_path).startswith("MNIST lacks train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-")


def test_the_server_downloads_in_another_process(tmp_path, monkeypatch):
    def download(command, **options):
        assert command[0] == sys.executable
        raw = tmp_path / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in files.FILES:
            (raw / name).write_bytes(bytes(8 + 10_000))

    monkeypatch.setattr(files.subprocess, "run", download)
    monkeypatch.setattr(files, "LENGTHS", dict.fromkeys(files.FILES, 8 + 10_000))
    assert read_test_classes(tmp_path).tolist() == [0] * 10_000
    assert find_missing(tmp_path) == ""
    (tmp_path / "MNIST" / "raw" / TEST_CLASSES).write_bytes(b"cut short")
    assert (
        find_missing(tmp_path) == f"The MNIST file {tmp_path / 'MNIST' / TEST_CLASSES}.gz is missing; {files.RESTORE}."
    )
    read_test_classes.cache_clear()
    with pytest.raises(DataError, match=rf"The MNIST file .*{TEST_CLASSES} is damaged; restore data/MNIST"):
        read_test_classes(tmp_path)


def test_a_folder_in_which_nothing_can_be_unpacked_is_one_sentence(bundle):
    (bundle / "MNIST" / "raw").write_text("in the way")
    with pytest.raises(DataError, match=r"^MNIST cannot be unpacked into .*raw: (File exists|Not a directory)\.$"):
        unpack_mnist(bundle)


def test_damaged_sums_are_named(bundle):
    (bundle / "MNIST" / "SHA256SUMS").write_bytes(b"\xff\n")
    with pytest.raises(DataError, match=r"SHA256SUMS is damaged; restore data/MNIST from the repository\.$"):
        unpack_mnist(bundle)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (gzip.compress(bytes(9)), ""),
        (gzip.compress(bytes(8)), r"The MNIST file \S+\.gz is damaged; restore data/MNIST from the repository\."),
        (gzip.compress(bytes(9))[:-3], r"The MNIST file \S+\.gz cannot be read \(.+\); restore data/MNIST .+\."),
        (b"no gzip", r"The MNIST file \S+\.gz cannot be read \(.+\); restore data/MNIST .+\."),
    ],
    ids=["whole", "too short", "cut short", "no gzip"],
)
def test_a_bundled_file_that_cannot_be_unpacked_is_found_before_it_is_needed(tmp_path, monkeypatch, content, sentence):
    monkeypatch.setattr(files, "LENGTHS", dict.fromkeys(files.FILES, 9))
    (tmp_path / "MNIST").mkdir()
    for name in files.FILES:
        (tmp_path / "MNIST" / f"{name}.gz").write_bytes(gzip.compress(bytes(9)))
    (tmp_path / "MNIST" / f"{TEST_CLASSES}.gz").write_bytes(content)
    assert re.fullmatch(sentence, find_missing(tmp_path))
    (tmp_path / "MNIST" / "raw").write_text("in the way")
    unwritable = r"MNIST cannot be unpacked into \S+/raw: it cannot be written\."
    assert re.fullmatch(sentence or unwritable, find_missing(tmp_path))
